"""Which dialog is open: one at a time, on its page, until somebody closes it.

Streamlit takes a dialog away with the next run of the page that leaves it out, and a page is drawn anew whenever a job
begins or ends. So a dialog is drawn with every run of its page as long as it is `shown` here, and is made with
`on_dismiss=close`. What was typed into it stays with it.
"""

from bloodapp.ui import state

_OPEN = "dialog"


def show(name: str) -> None:
    """Open a dialog when the page is drawn next."""
    state.put(_OPEN, name)


def shown() -> str:
    """The name of the dialog that is open, or an empty string."""
    return str(state.get(_OPEN) or "")


def close() -> None:
    """No dialog any more."""
    state.put(_OPEN, None)


def enter() -> None:
    """Close what is open when somebody came from another page, or stepped back or forth; the frame does so."""
    if shown() and (state.get("arrived") or state.stepped()):
        close()
