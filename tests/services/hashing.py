"""Passwords hashed as the product does, but in a thousandth of the time: the people of tests need no protection."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class FewRounds(PBKDF2PasswordHasher):
    """Its hashes are checked by the product's own hasher too, in a process with the product's settings."""

    iterations = 1000
