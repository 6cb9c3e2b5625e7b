"""Which dialog is open: one at a time, on its page, until somebody closes it.

Streamlit takes a dialog away with the next run of the page that leaves it out. So a dialog is drawn with every run of
its page as long as it is open, and is made with `on_dismiss=close`. But even then the browser takes it down from the
beginning of such a run until it is drawn, and loses what is being typed into it. So nothing has the page drawn anew by
itself as long as a dialog lies over it (`state.rerun`), and nothing says something in a toast, since Streamlit counts
dialogs and toasts in one row and puts one into the other's place.
"""

import streamlit as st

_OPEN, _DRAWN = "kept.dialog", "kept.dialog_drawn"


def show(name: str) -> None:
    """Open a dialog when the page is drawn next."""
    st.session_state[_OPEN] = name


def close() -> None:
    """No dialog any more."""
    st.session_state[_OPEN] = ""


def shown() -> str:
    """The name of the dialog that is open, or an empty string."""
    return str(st.session_state.get(_OPEN) or "")


def drawn(name: str) -> bool:
    """Whether this dialog is open; who asks draws it then."""
    if shown() != name:
        return False
    st.session_state[_DRAWN] = name
    return True


def lies_over() -> bool:
    """Whether a dialog lies over the page: open, and drawn in the page's last run."""
    return bool(shown()) and st.session_state.get(_DRAWN) == shown()


def enter(*, elsewhere: bool) -> None:
    """Begin a run of the page; where the user came from another one, or stepped back, what was open there is closed."""
    st.session_state[_DRAWN] = ""
    if elsewhere and shown():
        close()
