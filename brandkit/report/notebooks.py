"""Notebooks run and exported: checked first, made beside, put in place whole; the last good one stays.

Importing this loads no kernel and no notebook library; ``render`` does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from brandkit import errors, settings
from brandkit.errors import BrandkitError, ReportError
from brandkit.report import html, parameters
from brandkit.report.brief import Brief
from brandkit.report.html import Theme
from brandkit.report.opening import open_daily
from brandkit.report.parameters import DailyParameters, ReportParameters, StoryParameters
from brandkit.report.storybook import Storybook, open_story

P = ParamSpec("P")
T = TypeVar("T")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def _plainly(call: Callable[P, T]) -> Callable[P, T]:
    """The function, whose errors of ours a notebook shows as their message alone."""

    @wraps(call)
    def plain(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except BrandkitError as error:
            # IPython asks the exception; forty lines of traceback would hide the one that matters.
            message = f"{type(error).__name__}: {error}"
            vars(error)["_render_traceback_"] = lambda: [message]
            raise

    return plain


# What a notebook calls ----------------------------------------------------------------------------


def theme() -> Theme:
    """The house style, for the notebook itself; an exported page has it already."""
    return Theme()


@_plainly
def daily_parameters(namespace: Mapping[str, object]) -> DailyParameters:
    """The parameters of ``daily.ipynb``, checked: call it with ``globals()``.

    Raises: UsageError, which a notebook shows as one message.
    """
    return parameters.from_cell(DailyParameters, namespace)


@_plainly
def daily_brief(chosen: DailyParameters) -> Brief:
    """The brief of that day, its run made first where it is missing.

    Raises: BrandkitError branches, which a notebook shows as one message.
    """
    return open_daily(chosen)


@_plainly
def story_parameters(namespace: Mapping[str, object]) -> StoryParameters:
    """The parameters of ``story.ipynb``, checked: call it with ``globals()``.

    Raises: UsageError, which a notebook shows as one message.
    """
    return parameters.from_cell(StoryParameters, namespace)


@_plainly
def story_book(chosen: StoryParameters) -> Storybook:
    """The story as its newest run has it, with what came before.

    Raises: UnknownError for an id that no run has, which a notebook shows as one message.
    """
    return open_story(chosen)


# What renders a notebook --------------------------------------------------------------------------


def notebook_path(name: str) -> Path:
    """Where a report's notebook is.

    Raises: ReportError outside a source tree, where there are none.
    """
    root = settings.project_root()
    path = root / "notebooks" / f"{name}.ipynb" if root else None
    if path is None or not path.is_file():
        raise ReportError(
            f"there is no notebook for report '{name}'",
            hint="notebooks come with the source tree: run from a clone",
        )
    return path


def render(
    name: str,
    given: Mapping[str, object],
    *,
    out: str | Path,
    html: str | Path | None = None,
    timeout_s: float | None = None,
) -> Path:
    """Run a report's notebook to ``out``, and export it to ``html``; gives the path of the notebook.

    Both appear whole or not at all. When it fails, what there is of the notebook is kept beside
    ``out`` as ``<name>.failed.ipynb``, and an earlier report stays as it was.

    Args:
        name: which report: ``daily``.
        given: its parameters, checked before a kernel starts.
        out: the notebook to write.
        html: the page to write, with the code left out and nothing in it that can run.
        timeout_s: how long a cell may take.

    Raises: UsageError for a parameter; the error that the notebook named; ReportError otherwise.
    """
    checked = parameters.checked(name, given)
    chosen = checked.for_notebook()
    source, target = notebook_path(name), Path(out).absolute()
    page = Path(html).absolute() if html is not None else None
    _made_ready(target, page)
    made, made_page = _beside(target), _beside(page) if page else None
    try:
        with _kept_when_failing(made, target):
            _execute(source, chosen, made, timeout_s)
            if made_page is not None:
                made_page.write_text(exported(made, title=_title(name, checked)), encoding="utf-8")
            _put(made, target)
            if made_page is not None and page is not None:
                _put(made_page, page)
    finally:
        for left in filter(None, (made, made_page)):
            left.unlink(missing_ok=True)
    return target


def _made_ready(*targets: Path | None) -> None:
    for target in filter(None, targets):
        if target.is_dir():
            raise ReportError(f"'{target}' is a folder, not a file to write")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ReportError(f"cannot write to '{target.parent}': {error.strerror}") from error


def _beside(target: Path) -> Path:
    # In the same folder, for a rename is whole only within one file system.
    return target.with_name(f".{target.stem}.{os.getpid()}.part{target.suffix}")


def _put(made: Path, target: Path) -> None:
    with made.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(made, target)


def _title(name: str, chosen: ReportParameters) -> str:
    return f"{name} {chosen.on}" if chosen.on else name


@contextmanager
def _kept_when_failing(made: Path, target: Path) -> Iterator[None]:
    """Whatever goes wrong in the block becomes one error of ours, with the half-made notebook kept."""
    try:
        yield
    except Exception as error:
        kept = target.with_name(f"{target.stem}.failed.ipynb")
        hint = ""
        if made.is_file():
            os.replace(made, kept)
            hint = f"what there is of it: {kept}"
        if target.is_file():
            hint = f"{hint}\n  the last good one stands: {target}".strip()
        raise _ours(error, hint) from error


def _ours(error: Exception, hint: str) -> BrandkitError:
    if isinstance(error, BrandkitError):
        return error
    # papermill knows the error in the kernel by its name; ours keep their exit code.
    kind = getattr(errors, getattr(error, "ename", ""), ReportError)
    told = _ANSI.sub("", str(getattr(error, "evalue", "") or error)).strip() or type(error).__name__
    if isinstance(kind, type) and issubclass(kind, BrandkitError) and kind is not ReportError:
        return kind(told, hint=hint)
    ename = getattr(error, "ename", "") or type(error).__name__
    return ReportError(f"the notebook failed: {ename}: {told.splitlines()[0][:300]}", hint=hint)


def _execute(source: Path, chosen: Mapping[str, Any], made: Path, timeout_s: float | None) -> None:
    import logging

    import papermill

    from brandkit.report.kernel import OwnKernel

    logging.getLogger("papermill").setLevel(logging.WARNING)
    papermill.execute_notebook(
        # papermill fills {name} in a path from the parameters; a folder may hold braces of its own.
        _literal(source),
        _literal(made),
        parameters=dict(chosen),
        progress_bar=False,
        kernel_manager_class=OwnKernel,
        execution_timeout=None if timeout_s is None else max(1, round(timeout_s)),
    )


def _literal(path: Path) -> str:
    return str(path).replace("{", "{{").replace("}", "}}")


def exported(notebook: Path, *, title: str) -> str:
    """An executed notebook as one page without code: no script, no network, nothing in it that can run.

    The same notebook gives the same page.
    """
    import nbformat
    from nbconvert import HTMLExporter

    shown = nbformat.reads(notebook.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-untyped-call]
    shown.cells = [cell for cell in shown.cells if _is_shown(cell)]
    for number, cell in enumerate(shown.cells):
        # papermill names the cell it adds at random.
        cell["id"] = f"part-{number}"
        cell["outputs"] = [output for output in cell.get("outputs", []) if "data" in output]
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="basic", exclude_input=True, exclude_output_prompt=True
    )
    body, _ = exporter.from_notebook_node(shown)
    return html.page(html.sanitised(body), title=title)


def _is_shown(cell: Mapping[str, Any]) -> bool:
    if "not-in-page" in cell["metadata"].get("tags", ()):
        return False
    return cell["cell_type"] == "code" and any("data" in output for output in cell["outputs"])
