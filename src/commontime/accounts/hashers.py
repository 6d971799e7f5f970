import unicodedata

from django.contrib.auth.hashers import Argon2PasswordHasher

from commontime.accounts.validators import LONGEST


class Argon2(Argon2PasswordHasher):
    """Argon2id over the normalised password.

    19 MiB, two passes and one lane are the least costs that the OWASP password storage sheet asks
    for, about 22 ms a guess.
    """

    time_cost = 2
    memory_cost = 19456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return super().encode(normalised(password), salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Compare the normalised password, then the password as typed.

        Older hashes were made of the text as it was typed. One of them stays as it is: a new hash
        would end all sign-ins.
        """
        normal = normalised(password)
        return super().verify(normal, encoded) or (
            normal != password and super().verify(password, encoded)
        )


def normalised(password: str) -> str:
    """Return the password as it is hashed (NFKC, NIST SP 800-63B).

    Two devices may compose an ü differently. A text over the limit is nobody's password, and a long
    run of accents would take minutes.
    """
    return unicodedata.normalize("NFKC", password) if len(password) <= LONGEST else password
