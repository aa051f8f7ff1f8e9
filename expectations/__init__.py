"""Gates between stages: suites declared as data, judged by Great Expectations. See README.md here."""
