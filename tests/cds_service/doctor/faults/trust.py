"""Faults of trust."""

from tests.cds_service.doctor.little_service import Asked, Told
from tests.cds_service.doctor.planting import Fault, Planted, body, calling, discovered, header, skipping, status, when


def _token_comes_back(asked: Asked, told: Told) -> Told:
    given = asked.headers.get("authorization", "").encode()
    return Told(401, told.body + given, told.headers) if told.status == 401 else told


FAULTS: list[Planted] = [
    ("open to all", skipping("closed"), ("trust.closed",)),
    (
        "403",
        when(lambda asked: calling(asked) and "authorization" not in asked.headers, status(403)),
        ("trust.challenge",),
    ),
    ("no challenge", when(calling, header("www-authenticate", None)), ("trust.challenge",)),
    ("a good token refused", when(discovered, status(401)), ("trust.accepted",)),
    ("aud as text only", skipping("string-audience"), ("trust.audience-array",)),
    ("alg none", skipping("none"), ("trust.none",)),
    ("HS256", skipping("symmetric"), ("trust.symmetric",)),
    ("signature not looked at", skipping("signature"), ("trust.signature", "trust.foreign-key")),
    ("keys from the token's jku", skipping("jku"), ("trust.foreign-key", "trust.jku-not-fetched")),
    ("any kid", skipping("unknown-kid"), ("trust.unknown-kid",)),
    ("any issuer", skipping("issuer"), ("trust.issuer",)),
    ("expired", skipping("expired"), ("trust.expired",)),
    ("ten years", skipping("long-life"), ("trust.long-life",)),
    ("claims missing", skipping("required-claims"), ("trust.required-claims", "trust.audience")),
    ("any audience", skipping("audience"), ("trust.audience",)),
    ("replay", skipping("replay"), ("trust.replay",)),
    ("the token comes back", Fault(change=_token_comes_back), ("trust.no-leak",)),
    (
        "a stack trace",
        when(calling, body(lambda text: text + b"Traceback (most recent call last)", only=401)),
        ("trust.no-leak",),
    ),
]
