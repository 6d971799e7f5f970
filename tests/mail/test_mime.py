"""The mail as bytes: cases ML-10 and ML-11, read by Python's two readers, the modern and the old
one.
"""

import email
import re
from email import policy
from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from commontime.mail import mime
from commontime.mail.addresses import BadAddress
from commontime.mail.letters import Letter
from commontime.mail.models import Message
from tests.mail.examples import DOCUMENT, EVERY_LETTER

MESSAGE = Message(event="meeting:1", recipient="sam@example.org", sequence=2)
NASTY = [
    "two\r\nBcc: eve@evil.example",
    'Sam "the man" O\'Neil',
    "Sam, Eve",
    "é, <eve@evil.example>",
    "<a@b>",
    "Sam <eve@evil.example>, ",
    "=?utf-8?q?Mallory?=",
    "=?utf-8?b?PGV2ZUBldmlsLmV4YW1wbGU+?=",
    "(comment) Sam; group: x@y;",
    "back\\slash",
    "👩‍👩‍👧‍👦 " * 40,
    "x" * 5000,
    "é," * 1000,
    "esc\x1b vt\v nel\x85 ls\u2028 bidi\u202e surrogate\ud800",
    " blanks ",
]
HEADERS = [
    "MIME-Version",
    "Content-Type",
    "Subject",
    "From",
    "To",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
]
typed = st.one_of(st.text(), st.text('é,"<>@()[]:;\\=?_utf-8bq \r\n'), st.sampled_from(NASTY))


def letter(**changes) -> Letter:
    return Letter(
        **{
            "subject": "Hello",
            "text": "Hello.\n",
            "html": "<p>Hello.</p>",
            "to_name": "Sam",
            **changes,
        }
    )


def written(letter: Letter, message: Message = MESSAGE) -> bytes:
    return mime.email_message(message, letter).message().as_bytes()


def shown(text: str) -> str:
    """What is left of a typed text: one line without controls."""
    text = re.sub("\r\n|[\r\n\v\f\x85\u2028\u2029]", " ", text)
    text = re.sub("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", "", text)
    return re.sub("[^\\S\u00a0\u202f]+", " ", text).strip()


@given(typed)
@example(NASTY[3])
@example(NASTY[6])
@example(NASTY[12])
def test_headers_show_what_was_typed_and_hold_one_address(text):
    content = written(letter(subject=text, to_name=text))

    old = email.message_from_bytes(content, policy=policy.compat32)
    new = email.message_from_bytes(content, policy=policy.default)
    assert old.keys() == new.keys() == HEADERS
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]", content)
    assert str(make_header(decode_header(old["Subject"]))) == shown(text)
    ((name, address),) = getaddresses([old["To"]])
    assert address == "sam@example.org"
    assert str(make_header(decode_header(name))) == shown(text)[:200]
    (recipient,) = new["To"].addresses
    assert recipient.addr_spec == "sam@example.org"
    (sender,) = new["From"].addresses
    assert sender.display_name == "Commontime"


def test_python_alone_would_not_get_it_right(monkeypatch):
    """Should this fail one day, `_Typed` has become needless."""
    monkeypatch.setattr(
        mime,
        "_Typed",
        lambda name, typed, address="": f'"{typed}" <{address}>' if address else typed,
    )
    wrong = 0
    for text in ("é, <eve@evil.example>" * 9, "=?utf-8?q?Mallory?="):
        try:
            new = email.message_from_bytes(written(letter(to_name=text)), policy=policy.default)
            wrong += (
                len(new["To"].addresses) != 1 or new["To"].addresses[0].display_name != text[:200]
            )
        except Exception:
            wrong += 1
    assert wrong


def test_the_message_id_is_the_same_for_the_same_and_differs_for_others():
    ids = {
        mime.message_id(Message(event=event, recipient=recipient, sequence=sequence))
        for event in ("meeting:1", "meeting:2")
        for recipient in ("sam@example.org", "iris@example.org")
        for sequence in (1, 2)
    }

    assert len(ids) == 8
    assert mime.message_id(MESSAGE) in ids
    assert re.fullmatch(r"<[0-9a-f]{40}@plan\.example\.org>", mime.message_id(MESSAGE))


def test_the_message_id_needs_our_key_and_our_host(settings):
    before = mime.message_id(MESSAGE)
    settings.COMMONTIME_BASE_URL = "https://other.example:8443"
    assert mime.message_id(MESSAGE) == before.replace("plan.example.org", "other.example")
    settings.COMMONTIME_BASE_URL = "http://[::1]:8000"
    assert mime.message_id(MESSAGE).endswith("@[IPv6:::1]>")

    settings.SECRET_KEY = "another key, as long as it has to be for this"
    assert mime.message_id(MESSAGE)[:41] != before[:41]


def test_the_headers_say_what_kind_of_mail_it_is(settings):
    settings.DEFAULT_FROM_EMAIL = "Team <team@plan.example.org>"
    message = email.message_from_bytes(
        written(letter(unsubscribe_url="https://plan.example.org/stop/1/")), policy=policy.default
    )

    assert message["From"] == "Team <team@plan.example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] == "<https://plan.example.org/stop/1/>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Date"].datetime.tzinfo


def test_a_long_unsubscribe_address_stays_readable_for_programs():
    """Mail programs look for <https: they decode no encoded words there (RFC 2369)."""
    url = f"https://plan.example.org/app/mail/stop/{'aB3_-' * 30}/"

    assert f"List-Unsubscribe: <{url}>\r\n".encode() in written(letter(unsubscribe_url=url))


def test_the_references_became_encoded_words_with_a_long_host(settings):
    settings.COMMONTIME_BASE_URL = "https://commontime.a-rather-long-department.example.org"

    content = written(letter(meeting_id="1"))

    assert re.search(rb"\r\nReferences: <[0-9a-f]{40}@commontime\.a-rather-[a-z.-]+>\r\n", content)


def test_a_plain_mail_is_text_and_html():
    message = email.message_from_bytes(written(letter()), policy=policy.default)

    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL"])
def test_an_invitation_is_an_alternative_and_a_file(method):
    content = written(letter(documents=(DOCUMENT,), method=method))

    message = email.message_from_bytes(content, policy=policy.default)
    assert message.get_content_type() == "multipart/mixed"
    body, file = message.iter_parts()
    assert [part.get_content_type() for part in body.iter_parts()] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    calendar = list(body.iter_parts())[2]
    assert calendar["Content-Type"].params == {"method": method, "charset": "utf-8"}
    assert calendar.get_payload(decode=True) == DOCUMENT
    assert file.get_content_type() == "application/ics"
    assert file.get_filename() == "invite.ics"
    assert file.get_content() == DOCUMENT


def test_several_cancels_are_several_parts():
    documents = tuple(DOCUMENT.replace(b"get", b"get %d" % number) for number in range(3))
    content = written(letter(documents=documents, method="CANCEL"))

    message = email.message_from_bytes(content, policy=policy.default)
    parts = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    assert [part.get_payload(decode=True) for part in parts] == list(documents)
    assert all(part["Content-Type"].params["method"] == "CANCEL" for part in parts)
    assert (
        len([part for part in message.walk() if part.get_content_type() == "application/ics"]) == 1
    )


@pytest.mark.parametrize("write", EVERY_LETTER.values(), ids=EVERY_LETTER)
@pytest.mark.parametrize(
    "typed", ["Budget", "é, <eve@evil.example>\r\nBcc: x" * 40, "x" * 5000, "漢字" * 100]
)
def test_every_letter_makes_a_mail_that_both_readers_understand(write, typed):
    written_letter = write(typed)
    content = written(written_letter)

    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert max(content) < 128
    for reader in (policy.compat32, policy.default):
        message = email.message_from_bytes(content, policy=reader)
        assert message.defects == []
        text = next(part for part in message.walk() if part.get_content_type() == "text/plain")
        assert text.get_payload(decode=True).decode().replace("\r\n", "\n") == written_letter.text
    assert "Bcc" not in message


@pytest.mark.parametrize(
    "recipient",
    [
        "a@x.org, b@x.org",
        "a@x.org\r\nBcc: b@x.org",
        "Sam <a@x.org>",
        "a",
        "",
        "jürgen@x.org",
        "a@x.org b@x.org",
        "a@\0x",
    ],
)
def test_what_is_not_one_address_is_refused(recipient):
    with pytest.raises(BadAddress):
        mime.email_message(Message(event="e", recipient=recipient), letter())


@pytest.mark.parametrize(
    ("recipient", "address"),
    [
        ("o'neil+x@x.org", "o'neil+x@x.org"),
        ('"<b>"@x.org', '"<b>"@x.org'),
        ("sam@bücher.example", "sam@xn--bcher-kva.example"),
    ],
)
def test_unusual_addresses_work(recipient, address):
    mail = mime.email_message(Message(event="e", recipient=recipient), letter())

    assert mail.recipients() == [address]
    message = email.message_from_bytes(mail.message().as_bytes(), policy=policy.default)
    assert [to.addr_spec for to in message["To"].addresses] == [address]
