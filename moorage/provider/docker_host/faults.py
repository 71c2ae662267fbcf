"""What a Docker host answers instead of doing what was asked, each as one line for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from moorage.errors import Exit, MoorageError
from moorage.provider.docker_host.hosts import Host

_MOST_WORDS: Final = 300
_NOT_FOUND: Final = 404


class Unreachable(MoorageError):  # noqa: N818  it may be back in a moment
    """The engine could not be asked just now; it is not known how things stand."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=Exit.UNANSWERED)


class Refusal(MoorageError):  # noqa: N818
    """The engine has answered, and does not do it; `says` is its own word."""

    def __init__(self, message: str, *, says: str, status: int) -> None:
        super().__init__(message, exit_code=Exit.UNANSWERED)
        self.says = says
        self.status = status

    @property
    def is_absence(self) -> bool:
        """Whether what was asked about is not there."""
        return self.status == _NOT_FOUND


# The words of ssh, of Docker's command behind it, of Docker's engine and of NVIDIA's tools, in the
# order in which they are looked for; what follows is what it means and what to do.
_WORDS: Final = (
    (
        r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its host key is not the one known here; compare it, then add it to ~/.ssh/known_hosts",
    ),
    (
        r"Permission denied \(|Too many authentication failures|Permission denied, please try",
        "it refuses the ssh key; name the right one in ~/.ssh/config, or have yours let in there",
    ),
    (
        r"Could not resolve hostname|Name or service not known|failure in name resolution",
        "nobody knows a host of that name; check `host`",
    ),
    (
        r"docker: (command )?not found|command not found: docker|'?docker'? is not recognized",
        "Docker's command is not there; install Docker on the host",
    ),
    (
        r"permission denied while trying to connect|connect: permission denied",
        "the user may not use Docker's socket; add them to the group docker there",
    ),
    (
        r"Cannot connect to the Docker daemon|connect to the docker API|dial unix .*(such|refused)",
        "Docker's daemon does not run; start it there, as by `systemctl start docker`",
    ),
    (
        r"(Connection|Operation) (timed out|refused|closed|reset)|No route to host|unreachable",
        "it cannot be reached; check that it is up and takes ssh from here",
    ),
    (
        r"could not select device driver|failed to discover GPU vendor",
        "Docker has no NVIDIA runtime; install the NVIDIA Container Toolkit there, restart Docker",
    ),
    (
        r"unknown device|unresolvable CDI devices",
        "it does not have all of these GPUs; see `nvidia-smi -L` there",
    ),
    (
        r"nvml error|driver not loaded|driver/library version mismatch|nvidia-container-cli",
        "its NVIDIA driver does not answer; see `nvidia-smi` there",
    ),
    (
        r"no space left on device|disk quota exceeded",
        "its disk is full; make room, as by `docker system prune`",
    ),
    (
        r"port is already allocated|address already in use|port .* is not available",
        "the port is taken; free it, or leave `port` out to have a free one chosen",
    ),
    (
        r"cannot assign requested address",
        "it has no such address to bind a port to; check `address`",
    ),
    (
        r"No such image",
        "the image is not there; run up again to have it pulled",
    ),
)
_PATTERNS: Final = tuple((re.compile(words, re.IGNORECASE), meaning) for words, meaning in _WORDS)


def explained(says: str) -> str | None:
    """What such words mean and what to do; None where nobody knows."""
    return next((meaning for pattern, meaning in _PATTERNS if pattern.search(says)), None)


def refused(host: Host, what: str, error: Any) -> Refusal:
    """The engine's answer to what was asked for, in words such as `starting chat`."""
    says = shortened(error.explanation or str(error))
    meaning = explained(says)
    line = f"{host}: {what}: {f'{meaning} ({says})' if meaning else says}"
    status = error.response.status_code if error.response is not None else 0
    return Refusal(line, says=says, status=status)


def unreachable(host: Host, error: BaseException, last_words: str) -> Unreachable:
    """No answer: by the words of ssh where there are some, else by the system's own."""
    if words := shortened(last_words):
        return Unreachable(f"{host}: {explained(words) or 'ssh could not reach Docker'} ({words})")
    for cause in _causes(error):
        for kind, meaning in _CAUSES:
            if isinstance(cause, kind):
                return Unreachable(f"{host}: {meaning}")
    return Unreachable(f"{host}: Docker cannot be asked: {shortened(str(error))}; check `host`")


_CAUSES: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (TimeoutError, "Docker there does not answer in time; see that its daemon is well"),
    (
        PermissionError,
        "you may not use Docker's socket; join the group docker, or use rootless Docker",
    ),
    (FileNotFoundError, "no Docker is there; install and start it, or correct `host`"),
    (
        ConnectionRefusedError,
        "Docker's daemon does not run; start it, as by `systemctl start docker`",
    ),
    (ConnectionError, "Docker's daemon broke off; see that it runs"),
)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, what it wraps and what those wrap, the innermost first."""
    inner = [one for one in (*error.args, error.__cause__, error.__context__) if one is not error]
    for one in inner:
        if isinstance(one, BaseException):
            yield from _causes(one)
    if type(error).__name__ == "ReadTimeout":  # of requests, which has no TimeoutError in it
        yield TimeoutError()
    yield error


def shortened(text: str) -> str:
    """On one line; the end of what is long, where the reason stands."""
    words = " ".join(text.split())
    return words if len(words) <= _MOST_WORDS else f"…{words[-_MOST_WORDS:]}"
