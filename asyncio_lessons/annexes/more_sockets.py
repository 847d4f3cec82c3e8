"""More sockets: host names, datagrams, receiving into a buffer."""

import functools
import socket
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any


class MoreSockets:
    """The rest of the loop's ``sock_*`` coroutines. Mirrors asyncio.selector_events."""

    async def sock_sendall(self, sock: socket.socket, data: Any) -> None:
        """Send all of `data`, a bytes-like object, waiting whenever the other side is slow."""
        data = memoryview(data).cast("B")  # in bytes, whatever its items are
        if data:
            await super().sock_sendall(sock, data)
        else:  # there may be an error to raise
            await self._retry(EVENT_WRITE, sock, sock.send, data)

    async def sock_recv_into(self, sock: socket.socket, buf: Any) -> int:
        """Receive into a buffer; return how many bytes."""
        return await self._retry(EVENT_READ, sock, sock.recv_into, buf)

    async def sock_recvfrom(self, sock: socket.socket, bufsize: int) -> tuple[bytes, Any]:
        """Receive a datagram of up to `bufsize` bytes; return it with the sender's address."""
        return await self._retry(EVENT_READ, sock, sock.recvfrom, bufsize)

    async def sock_recvfrom_into(self, sock: socket.socket, buf: Any, nbytes: int = 0) -> tuple:
        """Receive a datagram into a buffer; return how many bytes, with the sender's address."""
        call = sock.recvfrom_into
        return await self._retry(EVENT_READ, sock, call, buf, nbytes or len(buf))

    async def sock_sendto(self, sock: socket.socket, data: Any, address: Any) -> int:
        """Send a datagram to `address`; return how many bytes were sent."""
        return await self._retry(EVENT_WRITE, sock, sock.sendto, data, address)

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect to `address`; a host name is looked up in a thread. Raises OSError."""
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            address = await self._resolve(sock, address)
        await super().sock_connect(sock, address)

    async def _resolve(self, sock: socket.socket, address: Any) -> Any:
        try:
            socket.inet_pton(sock.family, address[0])
            return address  # a number, not a name
        except OSError:
            kind = {"family": sock.family, "type": sock.type, "proto": sock.proto}
            return (await self.getaddrinfo(*address[:2], **kind))[0][4]

    async def getaddrinfo(self, host: Any, port: Any, **options: int) -> list:
        """Look up a host name in a thread; options as for socket.getaddrinfo."""
        look_up = functools.partial(socket.getaddrinfo, host, port, **options)
        return await self.run_in_executor(None, look_up)

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        """Look up the name of an address in a thread; as socket.getnameinfo."""
        return await self.run_in_executor(None, socket.getnameinfo, sockaddr, flags)

    def _can_be_woken(self) -> bool:
        ours, keys = self._ssock.fileno(), self._selector.get_map().values()
        listening = [who for key in keys if key.fd != ours for who in key.data.values()]
        return not all(who.cancelled() for who in listening) or super()._can_be_woken()
