"""Mock departments: a folder of feeds served over HTTP, SFTP and PostgreSQL, with faults on demand.

For demonstrations, tests and docker-compose. Nothing here is used by a night.
"""
