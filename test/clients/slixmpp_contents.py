"""What people send each other, whatever it is, and the directory (XEP-0055), as slixmpp sends and gets it."""

import slixmpp
from slixmpp.xmlstream import ET
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

CLIENT = 'jabber:client'


def text_of(message):
    return ET.tostring(message, encoding='unicode')


class Contents:
    """`tell` is the client's."""

    def listen_to_contents(self):
        self.register_handler(Callback('contents', MatchXPath('{%s}message' % CLIENT), self.on_content))

    def on_content(self, msg):
        # what comes out of an archive is no new one
        if msg['type'] == 'chat':
            self.tell('content', id=msg['id'], xml=text_of(msg.xml))

    async def do_send_content(self, to, name, xml):
        message = self.make_message(mto=to, mtype='chat')
        message['id'] = name
        for child in ET.fromstring('<message xmlns="{}">{}</message>'.format(CLIENT, xml)):
            message.append(child)
        message.send()

    async def do_read_contents(self, jid):
        found = []
        pages = self['xep_0313'].retrieve(with_jid=slixmpp.JID(jid), rsm={'max': 7}, iterator=True)
        async for answer in pages:
            for result in answer['mam']['results']:
                found.append(text_of(result['mam_result']['forwarded']['stanza'].xml))
        return found

    async def do_search_people(self, service, fields):
        request = self['xep_0055'].make_search_iq(ito=service)
        for name, text in fields.items():
            request['search']['form'].add_field(name, value=text)
        answer = await request.send()
        items = answer.xml.iter('{jabber:x:data}item')
        return [[field.findtext('{jabber:x:data}value') for field in item] for item in items]
