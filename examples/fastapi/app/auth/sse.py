"""Server-Sent Events (WHATWG HTML, section 9.2.6), in bounded memory."""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

MAX_FRAME = 64 << 10  # bytes of a line, and of the data of a frame


class FrameError(Exception):
    """A frame is too large, or not UTF-8."""


@dataclass(frozen=True)
class Frame:
    id: str
    event: str
    data: str


async def frames(chunks: AsyncIterable[bytes]) -> AsyncIterator[Frame]:
    """Yield the frames of a stream that have data. An incomplete last frame is dropped."""
    last_id, event, data, size = "", "", list[str](), 0
    async for line in _lines(chunks):
        if not line:
            if data:
                yield Frame(last_id, event or "message", "\n".join(data))
            event, data, size = "", [], 0
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            event = value
        elif name == "id" and "\0" not in value:
            last_id = value
        elif name == "data":
            size += len(value) + 1
            if size > MAX_FRAME:
                raise FrameError("a frame is too large")
            data.append(value)


async def _lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[str]:
    """Yield the lines of a stream. The issuer ends lines with LF; CR and CRLF are accepted too."""
    rest = b""
    after_cr = False
    async for chunk in chunks:
        rest += chunk.removeprefix(b"\n") if after_cr else chunk
        after_cr = chunk.endswith(b"\r")
        *lines, rest = rest.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            yield _text(line)
        if len(rest) > MAX_FRAME:
            raise FrameError("a line is too long")


def _text(line: bytes) -> str:
    if len(line) > MAX_FRAME:
        raise FrameError("a line is too long")
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise FrameError("a line is not text") from error
