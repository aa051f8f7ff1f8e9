"""Airflow wiring. What a task does stands in pipelines/stages.py."""
