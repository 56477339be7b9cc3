"""How long an answer is waited for."""

import pytest

from crawler.patience import patience


@pytest.mark.parametrize(
    ("overran", "slowest", "seconds"),
    [(0, 0.0, 10.0), (0, 9.0, 10.0), (1, 0.1, 5.0), (2, 0.1, 3.0), (9, 0.1, 3.0), (1, 3.0, 9.0), (1, 4.0, 10.0)],
)  # fmt: skip
def test_a_host_that_overran_its_time_gets_less_but_three_times_what_it_needs(
    overran: int, slowest: float, seconds: float
) -> None:
    assert patience(10.0, overran, slowest) == seconds
