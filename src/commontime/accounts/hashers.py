from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes, one lane: the least the OWASP password storage sheet asks
    for, about 22 ms a guess.
    """

    time_cost = 2
    memory_cost = 19456
    parallelism = 1
