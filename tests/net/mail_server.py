"""A mail server for one test: mail_server.py PORT FOLDER [CERTIFICATE KEY].

Each message that it takes becomes FOLDER/N.json, as Python's own reader understands it, and FOLDER/N.eml as it came.
With a certificate it offers STARTTLS, and only then may somebody sign in (ann, s3cret).
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult

ANSWERS = {"nobody": "550 5.1.1 nobody lives here", "later": "451 4.2.1 the mailbox is busy"}


class Mailbox:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        answer = ANSWERS.get(address.split("@")[0])
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_QUIT(self, _server, session, _envelope):
        if getattr(session, "is_rude", False):
            await asyncio.sleep(3600)
        return "221 Bye"

    async def handle_DATA(self, _server, session, envelope):
        if envelope.rcpt_tos[0].startswith("slow@"):
            (self.folder / "slow").touch()
            await asyncio.sleep(3600)
        if envelope.rcpt_tos[0].startswith("rude@"):
            session.is_rude = True
        self.count += 1
        (self.folder / f"{self.count}.eml").write_bytes(envelope.content)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        read = {
            "mail_from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name: str(value) for name, value in message.items()},
            "text": message.get_content().replace("\r\n", "\n"),
            "is_encrypted": session.ssl is not None,
            "user": session.auth_data or "",
        }
        (self.folder / f"{self.count}.json").write_text(json.dumps(read), encoding="utf-8")
        return "250 taken"


def sign_in(_server, _session, _envelope, _mechanism, data):
    is_right = (data.login, data.password) == (b"ann", b"s3cret")
    return AuthResult(success=is_right, handled=False, auth_data="ann" if is_right else None)


async def serve(port, folder, certificate):
    tls = None
    if certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*certificate)
    mailbox = Mailbox(Path(folder))
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(mailbox, hostname="mail.test", tls_context=tls, authenticator=sign_in), "127.0.0.1", int(port))
    await server.serve_forever()


asyncio.run(serve(sys.argv[1], sys.argv[2], sys.argv[3:]))
