"""Which URLs are safe to fetch keys from."""

import re
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

_PRIVATE = [
    ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
]

# Names that cannot be registered in the public DNS.
_PRIVATE_NAME = re.compile(r"[^.]+|.*\.(localhost|local|internal|svc|cluster\.local|home\.arpa)")


def check_url(name: str, url: str, *, allow_private_http: bool) -> None:
    """Raise ValueError unless a URL, which the setting of this name has, is https, or http where that is safe."""
    parts = urlsplit(url)
    if not parts.hostname or "@" in parts.netloc or re.search(r"[?#]|/$", url):
        raise ValueError(f"{name} must be a URL without user, query, fragment and last slash")
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname)):
        return
    if parts.scheme == "http" and allow_private_http and _is_private(parts.hostname):
        return
    raise ValueError(
        f"{name} must be https, or http on a loopback address; "
        "ALLOW_PRIVATE_HTTP allows http also for private addresses and names"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_private(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return _PRIVATE_NAME.fullmatch(host) is not None
    return any(address in network for network in _PRIVATE)
