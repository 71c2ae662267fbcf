"""The Pulumi CLI built by an installed Go, for machines that reach package mirrors only."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from moorage.deploy.cli.children import Ended, ask, follow
from moorage.deploy.progress import Say, Tick

VERSION = "3.259.0"  # the one that tools/pulumi-cli pins
OLDEST_GO = (1, 25, 11)
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
GO_DEADLINE_S = 180.0  # `go version` may fetch a newer toolchain when GOTOOLCHAIN allows it
WORK = ".moorage-build"

# The recipe trades the speed of code that hardly runs for half of the build time: optimisation
# stays on for the standard library, Pulumi itself, gRPC and protobuf; nothing gets debug data.
FLAGS = (
    "-mod=readonly",
    "-trimpath",
    "-gcflags=all=-N -l -dwarf=false",
    "-gcflags=std=",
    "-gcflags=github.com/pulumi/pulumi/...=-dwarf=false",
    "-gcflags=google.golang.org/grpc/...=-dwarf=false",
    "-gcflags=google.golang.org/protobuf/...=-dwarf=false",
    f"-ldflags=-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{VERSION}",
)


def build(
    home: Path, recipe: Path, say: Say, tick: Tick, *, environ: Mapping[str, str]
) -> Path | None:
    """Build the CLI into the versions folder, or find that another has; None when it cannot."""
    if not go_will_do(recipe, say, environ):
        return None
    final = home / "versions" / VERSION / "bin" / "pulumi"
    with _only_builder(home / "versions", say) as lock_fd:
        if final.exists():
            return final
        return _build_once(home / "versions" / WORK, final, recipe, say, tick, environ, lock_fd)


def go_will_do(recipe: Path, say: Say, environ: Mapping[str, str]) -> bool:
    """Whether the Go that runs in the recipe's folder is new enough; a line says why not."""
    if shutil.which("go", path=environ.get("PATH")) is None:
        say("no Go toolchain on PATH, so the Pulumi CLI cannot be built here")
        return False
    try:
        said = ask(["go", "version"], deadline_s=GO_DEADLINE_S, env=_go_env(environ), cwd=recipe)
    except OSError as error:
        say(f"`go version` does not start ({error.strerror}), so the Pulumi CLI cannot be built")
        return False
    version = parse_go_version(said.out)
    if said.code == 0 and version is not None and version >= OLDEST_GO:
        return True
    say(_why_not(said, version))
    return False


def parse_go_version(text: str) -> tuple[int, int, int] | None:
    """The version in what `go version` printed."""
    match = re.search(r"\bgo(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def _why_not(said: Ended, version: tuple[int, int, int] | None) -> str:
    wanted = ".".join(map(str, OLDEST_GO))
    if version is not None and said.code == 0:
        found = ".".join(map(str, version))
        return f"Go {found} is older than {wanted}, so the Pulumi CLI cannot be built with it"
    if said.code is None:
        return (
            f"`go version` said nothing within {GO_DEADLINE_S:.0f} s; see GOTOOLCHAIN and GOPROXY"
        )
    return (
        f"`go version` fails ({said.last_line[:160]}); "
        f"Go {wanted} or newer is needed to build the Pulumi CLI, see GOTOOLCHAIN"
    )


@dataclass(slots=True)
class _Count:
    """What the Go command has told so far."""

    tick: Tick
    total: int = 0
    modules: int = 0
    packages: int = 0
    began: float = field(default_factory=time.monotonic)
    strange: list[str] = field(default_factory=list)

    def listed(self, line: str) -> None:
        """A line of `go list`: a module being fetched, or a package that the CLI consists of."""
        if line.startswith("go: downloading"):
            self.modules += 1
            self.tick("Pulumi CLI", f"{self.modules} Go modules fetched")
        elif line.startswith("go: ") or " " in line:
            self.strange.append(line)
        else:
            self.total += 1

    @property
    def reason(self) -> str:
        """The last thing said that was neither a module nor a package."""
        return self.strange[-1][:200] if self.strange else "Go gave no reason"

    def built(self, line: str) -> None:
        """A line of `go build -v`: the name of a package, when its turn comes."""
        if " " in line or line.startswith("#"):
            self.strange.append(line)
            return
        self.packages += 1
        elapsed_s = time.monotonic() - self.began
        self.tick(
            "Pulumi CLI", f"compiling {self.packages} of {self.total} packages, {elapsed_s:.0f} s"
        )


def _build_once(
    work: Path,
    final: Path,
    recipe: Path,
    say: Say,
    tick: Tick,
    environ: Mapping[str, str],
    lock_fd: int,
) -> Path | None:
    shutil.rmtree(work, ignore_errors=True)  # what a killed build left
    work.mkdir(parents=True)
    env = {**_go_env(environ), "GOTMPDIR": str(work), "GOGC": "off", "GOMEMLIMIT": _memory_limit()}
    draft, count = work / "pulumi", _Count(tick)
    run: Callable[[list[str | Path], Callable[[str], None]], int] = lambda command, on_line: follow(  # noqa: E731
        command, on_line, env=env, cwd=recipe, pass_fds=(lock_fd,)
    )
    try:
        say(f"building the Pulumi CLI {VERSION} with Go, once: about 4 minutes on 2 cores")
        code = run(["go", "list", "-mod=readonly", "-deps", PACKAGE], count.listed)
        if code == 0:
            say(f"{count.modules} Go modules fetched, {count.total} packages to compile")
            code = run(["go", "build", "-v", *FLAGS, "-o", draft, PACKAGE], count.built)
        if code != 0:
            say(f"building the Pulumi CLI failed: {count.reason}")
            return None
        final.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(final)
        say(f"built the Pulumi CLI {VERSION} in {time.monotonic() - count.began:.0f} s")
        return final
    finally:
        tick("Pulumi CLI", "")
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _only_builder(versions: Path, say: Say) -> Iterator[int]:
    """Hold the build lock; the Go command gets it too, so a killed set-up's build is waited for."""
    versions.mkdir(parents=True, exist_ok=True)
    with (versions / ".moorage-build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another build of the Pulumi CLI is running; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def _go_env(environ: Mapping[str, str]) -> dict[str, str]:
    """The user's environment less what would build for another machine or another module."""
    env = {k: v for k, v in environ.items() if k not in {"GOOS", "GOARCH", "GOFLAGS"}}
    return {**env, "CGO_ENABLED": "0", "GOWORK": "off", "GO111MODULE": "on"}


def _memory_limit() -> str:
    """What one compiler may hold before it collects garbage: its core's share of half of it all."""
    cores = len(os.sched_getaffinity(0))
    mib = _memory_bytes() // 2 // cores // 2**20
    return f"{min(max(mib, 512), 6144)}MiB"


def _memory_bytes() -> int:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cgroup = Path("/sys/fs/cgroup/memory.max")
    text = cgroup.read_text(encoding="ascii").strip() if cgroup.exists() else ""
    return min(total, int(text)) if text.isdigit() else total
