"""The kernel a report runs in: this interpreter and this brandkit, whatever kernels are installed."""

from __future__ import annotations

import os
import sys
from typing import Any, ClassVar

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from brandkit import settings


class OwnKernel(AsyncKernelManager):
    """Starts ``ipykernel`` with the running interpreter, so that a report and its caller are of one code."""

    # Whoever has to leave at once ends these first: a kernel is in a session of its own.
    started: ClassVar[list[OwnKernel]] = []

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.started.append(self)

    @property
    def kernel_spec(self) -> KernelSpec:
        """The spec, not looked up but made."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python", env=_environment())


def _environment() -> dict[str, str]:
    """Where the kernel finds brandkit when it runs from a source tree that is not installed."""
    root = settings.project_root()
    if root is None:
        return {}
    known = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(known), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
