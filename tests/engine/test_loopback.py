"""What listens, and where."""

import psutil

from tests.engine.conftest import RunningEngine


def test_every_socket_of_every_process_is_on_the_loopback_interface(
    engine: RunningEngine,
) -> None:
    """PyTorch's store listens on all of them by itself, whatever address it is given."""
    server = psutil.Process(engine.process.pid)
    addresses = [
        connection.laddr.ip
        for process in [server, *server.children(recursive=True)]
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(addresses) > 1
    assert set(addresses) <= {"127.0.0.1", "::1"}


def test_nobody_but_the_server_has_its_port(engine: RunningEngine) -> None:
    """Its children are copies of it on a processor: what they keep open would take connections that
    nobody answers, when the server is gone."""
    server = psutil.Process(engine.process.pid)
    of_children = [
        connection.laddr
        for process in server.children(recursive=True)
        for connection in process.net_connections("inet")
    ]
    (port,) = {
        connection.laddr.port
        for connection in server.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN and f":{connection.laddr.port}" in engine.url
    }
    assert port not in {address.port for address in of_children}
