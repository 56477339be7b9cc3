"""Delivery of a message: by e-mail, webhook, command or Apprise; and an Atom file. It has arrived, or NotDelivered is raised."""

import contextlib
import getpass
import os
import shlex
import shutil
import smtplib
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from crawler.items import Alert, Delivery
from pipelines.alerts.messages import Message
from pipelines.database.new_file import replaced_file

PATIENCE = 30.0
"""Seconds that a receiver may take for one step."""

COMMAND_PATIENCE = 600.0
"""Seconds that a command may run."""


class NotDelivered(Exception):
    """A receiver did not take a message, in words; it may the next time."""


class CannotDeliver(Exception):
    """What sources.toml says of a way cannot be done on this machine; a person has to change something."""


def check(alert: Alert, delivery: Delivery, folder: Path) -> None:
    """Raise CannotDeliver where the machine lacks what an alert needs. Nothing is sent."""
    if alert.email and delivery.smtp:
        _password(delivery, folder)
    elif alert.email:
        _sendmail()
    if alert.command and not shutil.which(shlex.split(alert.command)[0]):
        raise CannotDeliver(f"command: there is no program {shlex.split(alert.command)[0]!r}")
    if alert.apprise:
        _apprise(alert.apprise)


def deliver(way: str, message: Message, delivery: Delivery, folder: Path) -> None:
    """Hand over a message by one of WAYS. Raises NotDelivered, or CannotDeliver."""
    match way:
        case "email":
            _email(message, delivery, folder)
        case "webhook":
            _webhook(message)
        case "command":
            _command(message, folder)
        case "apprise":
            _notify(message)


def receiver(alert: Alert, way: str) -> str:
    """Whom a way leads to, as a person may see it: an address of a webhook or of Apprise has secrets in it."""
    said = str(getattr(alert, way))
    match way:
        case "webhook":
            return f"the webhook at {urlsplit(said).hostname}"
        case "apprise":
            return f"Apprise ({said.partition(':')[0]})"
        case "command":
            return f"the command {shlex.split(said)[0]}"
    return said


# E-mail


def _email(message: Message, delivery: Delivery, folder: Path) -> None:
    sender = delivery.sender or f"{getpass.getuser()}@{socket.gethostname()}"
    mail = message.email(sender, message.alert.email or "")
    if delivery.smtp is None:
        _run([_sendmail(), "-i", "-t"], mail.as_bytes(), "sendmail", PATIENCE * 2)
        return
    with _session(delivery, folder) as session, _told("the mail server"):
        session.send_message(mail)


@contextlib.contextmanager
def _session(delivery: Delivery, folder: Path) -> Iterator[smtplib.SMTP]:
    """A mail server that knows us. It is left without a word, whatever it says to that: what it took it has."""
    parts = urlsplit(delivery.smtp or "")
    host, encrypted = parts.hostname or "", ssl.create_default_context()
    with _told("the mail server"):
        session: smtplib.SMTP
        if parts.scheme == "smtps":
            session = smtplib.SMTP_SSL(host, parts.port or 465, timeout=PATIENCE, context=encrypted)
        else:
            session = smtplib.SMTP(host, parts.port or 25, timeout=PATIENCE)
    try:
        with _told("the mail server"):
            session.ehlo_or_helo_if_needed()
            if parts.scheme == "smtp" and session.has_extn("starttls"):
                session.starttls(context=encrypted)
                session.ehlo()
            elif parts.scheme == "smtp" and parts.username and not _is_here(host):
                raise NotDelivered("the mail server offers no STARTTLS, and a password is not sent in the open")
            if parts.username:
                session.login(unquote(parts.username), _password(delivery, folder) or "")
        yield session
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            session.quit()


def _is_here(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


@contextlib.contextmanager
def _told(whom: str) -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPResponseException as error:
        raise NotDelivered(f"{whom} says {error.smtp_code} {_words(error.smtp_error)}") from None
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise NotDelivered(f"{whom} refuses the address: {code} {_words(said)}") from None
    except (OSError, smtplib.SMTPException) as error:
        raise NotDelivered(f"{whom}: {getattr(error, 'strerror', None) or error}") from None


def _words(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said


def _password(delivery: Delivery, folder: Path) -> str | None:
    """The password of the mail server; None where it needs none. Raises CannotDeliver."""
    if delivery.password_env:
        if (found := os.environ.get(delivery.password_env)) is None:
            raise CannotDeliver(f"password_env: the environment has no {delivery.password_env}")
        return found
    if delivery.password_file:
        try:
            return next(iter((folder / delivery.password_file).read_text("utf-8").splitlines()), "")
        except (OSError, UnicodeDecodeError) as error:
            said = getattr(error, "strerror", None) or "not UTF-8"
            raise CannotDeliver(f"password_file: {delivery.password_file}: {said}") from None
    if urlsplit(delivery.smtp or "").username:
        raise CannotDeliver("smtp: names a user; password_env or password_file has to say where the password is")
    return None


def _sendmail() -> str:
    """Where mail servers and what stands for them (msmtp, nullmailer) put their command."""
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/lib"))
    if found := shutil.which("sendmail", path=places):
        return found
    raise CannotDeliver('email: this machine has no sendmail; say smtp = "smtps://user@host:465" under [alerts]')


# The others


def _webhook(message: Message) -> None:
    import httpx

    headers = {
        "content-type": "application/json; charset=utf-8",
        "idempotency-key": f'"{message.key}"',
        "user-agent": "Broadsheet",
    }
    try:
        answer = httpx.post(
            message.alert.webhook or "", content=message.json.encode(), headers=headers, timeout=PATIENCE
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotDelivered(str(error) or type(error).__name__) from None
    if not answer.is_success:
        raise NotDelivered(f"it answers {answer.status_code}")


def _command(message: Message, folder: Path) -> None:
    words = shlex.split(message.alert.command or "")
    told = {"BROADSHEET_ALERT": message.alert.name, "BROADSHEET_KEY": message.key}
    _run(words, message.json_lines.encode(), words[0], COMMAND_PATIENCE, env=os.environ | told, cwd=folder)


def _run(words: list[str], data: bytes, name: str, patience: float, **how: Any) -> None:
    """Run a command with this on its standard input; what it prints is not shown unless it fails."""
    try:
        done = subprocess.run(words, input=data, capture_output=True, timeout=patience, check=False, **how)
    except subprocess.TimeoutExpired:
        raise NotDelivered(f"{name} did not end within {patience:g} seconds") from None
    except OSError as error:
        raise NotDelivered(f"{name}: {error.strerror}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise NotDelivered(f"{name} ended with {done.returncode}" + (f": {said}" if said else ""))


def _notify(message: Message) -> None:
    if not _apprise(message.alert.apprise or "").notify(title=message.title, body=message.text):
        raise NotDelivered("the service did not take it")


def _apprise(url: str) -> Any:
    try:
        import apprise
    except ImportError:
        raise CannotDeliver('apprise: is not installed; `pip install "broadsheet[alerts]"` brings it') from None
    services = apprise.Apprise()
    if not services.add(url):
        raise CannotDeliver(f"apprise: it knows no service with such an address ({url.partition(':')[0]}:)")
    return services


def write_file(path: Path, data: bytes) -> bool:
    """Replace a file whole, and make its folder; whether it was another before. Raises NotDelivered."""
    try:
        if path.is_file() and path.read_bytes() == data:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced_file(path, path.with_name(f".{path.name}.part")) as file:
            file.write(data)
    except OSError as error:
        raise NotDelivered(f"{error.filename or path}: {error.strerror}") from None
    return True
