"""The syntax trees of the project's modules, parsed when a test first asks for them: all are there in half a second."""

import ast
from collections.abc import Iterator
from functools import cache

from tests.conftest import ROOT


@cache
def modules() -> dict[str, ast.Module]:
    """By the dotted names."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
            path.read_text("utf-8")
        )
        for folder in ("crawler", "pipelines")
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


@cache
def nodes(name: str) -> tuple[ast.AST, ...]:
    """All of a module: to walk a tree takes longer than what is asked of its nodes."""
    return tuple(ast.walk(modules()[name]))


def loaded_at_start(tree: ast.AST) -> Iterator[ast.AST]:
    """All but what stands in functions, and what only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        only_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not only_types and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            yield from loaded_at_start(node)
