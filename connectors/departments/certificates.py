"""Certificates for a demonstration: an authority, a server and a client, good for a week."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE = timedelta(days=7)


def write_certificates(folder: Path, host: str) -> None:
    """authority.pem, server.pem, server.key, client.pem and client.key.

    The server is known as `host` and as loopback.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = _name("mock departments")
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    authority = _builder(authority_name, authority_name, authority_key).add_extension(
        constraints, critical=True
    )
    _write(
        folder / "authority.pem",
        authority.sign(authority_key, SHA256()).public_bytes(serialization.Encoding.PEM),
    )
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1")), *_host_names(host)]
    for who, usage in (
        ("server", ExtendedKeyUsageOID.SERVER_AUTH),
        ("client", ExtendedKeyUsageOID.CLIENT_AUTH),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(who), authority_name, key).add_extension(
            x509.ExtendedKeyUsage([usage]), critical=False
        )
        if who == "server":
            builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        certificate = builder.sign(authority_key, SHA256())
        _write(folder / f"{who}.pem", certificate.public_bytes(serialization.Encoding.PEM))
        _write(folder / f"{who}.key", private_pem(key))


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + _LIFE)
    return builder.serial_number(x509.random_serial_number())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host_names(host: str) -> list[x509.GeneralName]:
    return [] if host in ("127.0.0.1", "localhost", "") else [x509.DNSName(host)]


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
