"""Files (XEP-0363) as slixmpp knows them."""

import io
import os


class Files:
    """What a client does with files. aiohttp, by which slixmpp uploads, is loaded when somebody does."""

    async def find_uploads(self):
        """Finds the service by XEP-0030, which slixmpp 1.8 cannot do by itself on Python 3.11 (asyncio.wait with coroutines)."""
        self.register_plugin('xep_0363')
        uploads, disco = self['xep_0363'], self['xep_0030']
        for jid, _node, _name in (await disco.get_items(self.boundjid.host))['disco_items']['items']:
            info = (await disco.get_info(jid))['disco_info']
            if 'urn:xmpp:http:upload:0' in info['features']:
                uploads.upload_service = jid
                uploads.max_file_size = int(info['form']['values']['max-file-size'])
        return uploads

    async def do_upload(self, filename, size, content_type):
        """Finds the service, asks for a slot and uploads so many bytes, as slixmpp does all of it; the file's address."""
        # the certificate of the server that it talks to already
        os.environ['SSL_CERT_FILE'] = str(self.ca_certs)
        uploads = await self.find_uploads()
        content = bytes(i % 251 for i in range(size))
        return await uploads.upload_file(filename, size, content_type, input_file=io.BytesIO(content), timeout=20)

    async def do_too_large(self):
        """How a refusal for the size is understood."""
        uploads = await self.find_uploads()
        try:
            await uploads.upload_file('large', 10**12, 'image/png', input_file=io.BytesIO(b''), timeout=20)
        except Exception as error:
            return type(error).__name__

    async def do_share(self, to, url):
        """A message with the address in it, as XEP-0066 has it."""
        self.register_plugin('xep_0066')
        message = self.make_message(mto=to, mbody=url, mtype='chat')
        message['oob']['url'] = url
        message.send()

    async def do_download(self, url):
        os.environ['SSL_CERT_FILE'] = str(self.ca_certs)
        from aiohttp import ClientSession

        async with ClientSession() as session:
            async with session.get(url) as answer:
                content = await answer.read()
                return {'status': answer.status, 'type': answer.headers['Content-Type'], 'text': content.decode()}
