"""A public key infrastructure made on the spot: a root, an intermediate below it, and servers' certificates with every fault."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

NOW = datetime.now(UTC)


class Pki:
    """`root` is what a crawl may be told to trust, by `trust()`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.root = trustme.CA()
        self.intermediate = self.root.create_child_ca()

    def trust(self) -> dict[str, str]:
        """The environment of a system that trusts the root."""
        self.root.cert_pem.write_to_path(str(self._folder / "root.pem"))
        return {"SSL_CERT_FILE": str(self._folder / "root.pem"), "SSL_CERT_DIR": str(self._folder / "none")}

    def server(
        self,
        ca: trustme.CA | None = None,
        name: str = "127.0.0.1",
        *,
        days: int = 7,
        issuer_at: str | None = None,
        whole: bool = True,
    ) -> ssl.SSLContext:
        """A server's certificate by `ca` (itself, where that is None), for an address or a name, that is valid for `days`
        from the day before or ended so long ago; `whole`: sent with the intermediate one; else it may say where that is."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        issuer = x509.load_pem_x509_certificate(ca.cert_pem.bytes()) if ca else None
        is_name = name[-1].isalpha()
        names = [x509.DNSName(name)] if is_name else [x509.IPAddress(ip_address(name))]
        begin = NOW - timedelta(days=1) if days > 0 else NOW + timedelta(days=days - 30)
        made = (
            x509.CertificateBuilder(issuer.subject if issuer else subject, subject, key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(NOW + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
        )
        if issuer_at:
            place = x509.UniformResourceIdentifier(issuer_at)
            access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, place)
            made = made.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        signer = serialization.load_pem_private_key(ca.private_key_pem.bytes(), None) if ca else key
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        chain = made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        chain += ca.cert_pem.bytes() if ca and whole else b""
        return self._context(key, chain)

    def _context(self, key: ec.EllipticCurvePrivateKey, chain: bytes) -> ssl.SSLContext:
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = self._folder / f"{len(list(self._folder.iterdir()))}.pem"
        file.write_bytes(private + chain)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def der_of(ca: trustme.CA) -> bytes:
    """A CA's certificate as it is had from where certificates say."""
    return x509.load_pem_x509_certificate(ca.cert_pem.bytes()).public_bytes(serialization.Encoding.DER)
