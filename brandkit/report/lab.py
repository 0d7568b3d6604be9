"""What a notebook in JupyterLab has that no report has: tables to sort and search, where itables is there."""

from __future__ import annotations

from importlib import import_module, util

PLAIN = "Tables are plain: pip install -e '.[lab]' makes them sort and search."


def interactive_tables() -> str:
    """Show every frame of this notebook as a table to sort and search; says what came of it.

    itables runs scripts of its own, so no report is made with it. It is taken only where it shows text
    from outside as text.
    """
    if util.find_spec("itables") is None:
        return PLAIN
    itables = import_module("itables")
    # Without this option a version would run what stands in a title.
    if getattr(import_module("itables.options"), "allow_html", None) is not False:
        return f"Tables are plain: itables {itables.__version__} does not say that it escapes text."
    itables.init_notebook_mode(all_interactive=True)
    return f"Tables by itables {itables.__version__}: sort them, search them, leaf through them."
