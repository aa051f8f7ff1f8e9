# One image for every service of docker-compose.yml.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 VIRTUAL_ENV=/opt/hedui/.venv PATH=/opt/hedui/.venv/bin:/opt/hedui/.venv/uv/bin:$PATH

RUN apt-get update \
 && apt-get install -y --no-install-recommends make \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 hedui

WORKDIR /opt/hedui
COPY requirements.lock pyproject.toml Makefile README.md LICENSE ./
COPY connectors connectors
COPY policy policy
COPY pipelines pipelines
COPY sql sql
COPY expectations expectations
COPY sample_data sample_data
COPY portal portal
COPY dags dags
# The same step as on anybody's machine: the packages of the lock file by their hashes, nothing else.
RUN make setup && python -m compileall -q connectors policy pipelines expectations portal dags \
 && mkdir -p /var/lib/hedui/home /var/lib/hedui/airflow /var/lib/hedui/feeds /run/hedui/departments \
 && chown -R hedui:hedui /var/lib/hedui /run/hedui/departments

USER hedui
CMD ["hedui", "--help"]
