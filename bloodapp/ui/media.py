"""Large content for the browser by its address: fetched once over HTTP, not sent again with every drawing of a page."""

import base64
import hashlib

import streamlit as st
from streamlit import runtime

_WHOLE = 1 << 20  # of larger files Streamlit looks at three samples only when it tells them apart


def url(content: bytes, mime: str, place: str) -> str:
    """An address that the browser fetches this content from, as long as the page that named it is shown.

    Equal content has an equal address, so that the browser need not fetch it again.

    Args:
        content: what is fetched.
        mime: its type, `application/octet-stream` for instance.
        place: names what this is on the page: other content of the same place takes its room. The page, or the
            fragment, says what it still needs with every run: what it does not name again goes.

    Without a server, where a script runs alone, the content itself comes as a `data:` URI.
    """
    if not runtime.exists():
        return f"data:{mime};base64,{base64.b64encode(content).decode('ascii')}"
    name = hashlib.blake2b(content, digest_size=16).hexdigest() if len(content) > _WHOLE else None
    address = runtime.get_instance().media_file_mgr.add(content, mime, f"bloodapp.{place}", file_name=name)
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}{address}" if base else address
