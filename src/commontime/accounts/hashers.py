import unicodedata
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher

from commontime.accounts.validators import LONGEST


class ComparesNormalised:
    """Compares the normalised password, then the password as typed.

    Older hashes were made of the text as it was typed. One of them stays as it is: a new hash would
    end all sign-ins.
    """

    def verify(self, password: str, encoded: str) -> bool:
        hasher: Any = super()
        normal = normalised(password)
        return hasher.verify(normal, encoded) or (
            normal != password and hasher.verify(password, encoded)
        )


class PBKDF2(ComparesNormalised, PBKDF2PasswordHasher):
    """For accounts that came with a hash of Django's."""


class Argon2(ComparesNormalised, Argon2PasswordHasher):
    """Argon2id over the normalised password.

    19 MiB, two passes and one lane are the least costs that the OWASP password storage sheet asks
    for, about 22 ms a guess.
    """

    time_cost = 2
    memory_cost = 19456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return super().encode(normalised(password), salt)


def normalised(password: str) -> str:
    """Return the password as it is hashed (NFKC, NIST SP 800-63B).

    Two devices may compose an ü differently. A text over the limit is nobody's password, and a long
    run of accents would take minutes.
    """
    return unicodedata.normalize("NFKC", password) if len(password) <= LONGEST else password
