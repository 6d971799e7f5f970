"""Sign in as a browser does."""

import re
from urllib.parse import urlencode

from stage.callers import PASSWORD
from stage.servers import Remote, Site


def browser(site: Site, name: str) -> Remote:
    """Return a caller with the session cookie of somebody who signed in by the page."""
    caller = site.caller()
    form = caller.get("/app/sign-in/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
    cookie = re.search(r"csrf=(\w+)", form.headers["Set-Cookie"])
    assert token
    assert cookie
    typed = {"csrfmiddlewaretoken": token[1], "identifier": name, "password": PASSWORD}
    done = caller.post(
        "/app/sign-in/",
        urlencode(typed).encode(),
        cookie=f"csrf={cookie[1]}",
        content_type="application/x-www-form-urlencoded",
    )
    assert done.status_code == 302, done.text
    session = re.search(r"session=(\w+)", " ".join(done.headers.get_all("Set-Cookie")))
    assert session
    return site.caller(cookie=f"session={session[1]}")
