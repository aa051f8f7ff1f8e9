"""The county desk: officers find, download, check and answer their cases."""
