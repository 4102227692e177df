"""Clients made of slixmpp, driven from outside: a request a line comes in as JSON, an answer or an event a line goes out.

in:  {"id": 1, "client": "c1", "do": "start", ...}
out: {"id": 1, "result": ...} or {"id": 1, "error": "..."} or {"client": "c1", "event": "message", "about": {...}}
"""

import asyncio
import json
import sys
from pathlib import Path

import slixmpp
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.xmlstream import ET
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from slixmpp_contents import Contents
from slixmpp_files import Files
from slixmpp_pep import Pep
from slixmpp_rooms import Rooms

# slixmpp 1.8 prints something of its own as it enters a room
ANSWERS = sys.stdout
sys.stdout = sys.stderr

PLUGINS = [
    'xep_0004', 'xep_0012', 'xep_0030', 'xep_0045', 'xep_0049', 'xep_0050', 'xep_0054', 'xep_0055', 'xep_0077', 'xep_0092', 'xep_0133', 'xep_0184',
    'xep_0191', 'xep_0198', 'xep_0199', 'xep_0202', 'xep_0203', 'xep_0280', 'xep_0313', 'xep_0333', 'xep_0352',
]
INBOX = '{urn:xmpp:inbox:1}'
PRESENCES = ['available', 'unavailable', 'subscribe', 'subscribed', 'unsubscribe', 'unsubscribed', 'away', 'chat', 'dnd', 'xa']


def say(**what):
    ANSWERS.write(json.dumps(what) + '\n')
    ANSWERS.flush()


class Client(Contents, Files, Pep, Rooms, slixmpp.ClientXMPP):
    """One client of one account. It comes back when its connection breaks."""

    def __init__(self, name, jid, password, port, tls, ca, register=False, nodes=None):
        super().__init__(jid, password)
        self.name = name
        self.port = port
        self.direct = tls == 'direct'
        self.ca_certs = Path(ca)
        self.leaving = False
        self.failures = []
        self.started = self.loop.create_future()
        self.echo = self.loop.create_future()
        self.auto_authorize = None  # requests are answered by the test
        self.auto_subscribe = False
        for plugin in PLUGINS:
            self.register_plugin(plugin)
        self['xep_0077'].create_account = register
        if register:
            # or slixmpp 1.8 keeps the request back until it has logged in
            self._always_send_everything = True
            self.add_event_handler('register', self.on_register)
        self.add_event_handler('session_start', self.on_start)
        self.add_event_handler('session_resumed', lambda _: self.tell('resumed'))
        self.add_event_handler('failed_auth', lambda stanza: self.failures.append(stanza['condition']))
        self.add_event_handler('failed_all_auth', lambda _: self.fail(' '.join(self.failures) or 'no mechanism'))
        self.add_event_handler('disconnected', self.on_disconnected)
        self.add_event_handler('message', self.on_message)
        self.add_event_handler('carbon_sent', lambda msg: self.on_message(msg['carbon_sent'], 'sent'))
        self.add_event_handler('carbon_received', lambda msg: self.on_message(msg['carbon_received'], 'received'))
        for kind in PRESENCES:
            self.add_event_handler('presence_' + kind, self.on_presence)
        self.listen_in_rooms()
        self.listen_to_contents()
        if nodes is not None:
            self.listen_to_nodes(nodes)

    def tell(self, event, **what):
        say(client=self.name, event=event, about=what)

    def fail(self, why):
        self.leaving = True
        if not self.started.done():
            self.started.set_exception(Exception(why))

    def go(self):
        self.connect(('127.0.0.1', self.port), use_ssl=self.direct, force_starttls=not self.direct)

    async def on_start(self, _):
        if self.started.done():
            self.tell('anew')
        await self.get_roster()
        self.send_presence()
        # when its own presence comes back, the server has taken it
        await self.echo
        if not self.started.done():
            self.started.set_result(self.boundjid.full)

    async def on_register(self, _):
        request = self.Iq()
        request['type'] = 'set'
        request['register']['username'] = self.boundjid.user
        request['register']['password'] = self.password
        try:
            await request.send()
        except IqError as error:
            self.fail('register: ' + error.iq['error']['condition'])
            self.disconnect()

    async def on_disconnected(self, reason):
        if self.leaving:
            self.fail('disconnected: {}'.format(reason))
            return
        await asyncio.sleep(0.1)
        self.go()

    def on_message(self, msg, carbon=None):
        if msg['body'] == '':
            return
        delayed = bool(msg.xml.findall('{urn:xmpp:delay}delay'))
        more = {'carbon': carbon} if carbon else {}
        # 'from' is a word of Python
        self.tell('message', **{'from': msg['from'].full, 'body': msg['body'], 'delayed': delayed, **more})

    def on_presence(self, presence):
        kind = presence['type']
        if presence['from'] == self.boundjid and not self.echo.done():
            self.echo.set_result(True)
        plain = kind if kind in PRESENCES[:6] else 'available'
        self.tell('presence', **{'from': presence['from'].full, 'type': plain, 'show': kind})

    # ---- what is asked of it -------------------------------------------------------------------------------------------------

    async def do_start(self):
        self.go()
        return await asyncio.wait_for(self.started, 20)

    async def do_leave(self):
        self.leaving = True
        await self.disconnect()

    async def do_roster(self):
        # without a version, or the server says that nothing has changed
        request = self.Iq()
        request['type'] = 'get'
        request.enable('roster')
        items = (await request.send())['roster']['items']
        return [
            {'jid': str(jid), 'subscription': item['subscription'], 'name': item['name'], 'groups': list(item['groups'])}
            for jid, item in items.items()
        ]

    async def do_put(self, jid, name='', groups=()):
        await self.update_roster(jid, name=name, groups=list(groups))

    async def do_drop(self, jid):
        await self.del_roster_item(jid)

    async def do_presence(self, **attributes):
        self.send_presence(**attributes)

    async def do_say(self, to, body):
        self.send_message(mto=to, mbody=body, mtype='chat')

    async def do_carbons(self):
        await self['xep_0280'].enable()

    async def do_info(self, jid, node=None):
        answer = await self['xep_0030'].get_info(jid=jid, node=node, cached=False)
        info = answer['disco_info']
        return {
            'identities': sorted([category, kind] for category, kind, _, _ in info['identities']),
            'features': sorted(info['features']),
        }

    async def do_items(self, jid, node=None):
        answer = await self['xep_0030'].get_items(jid=jid, node=node)
        return sorted([str(jid), node or ''] for jid, node, _ in answer['disco_items']['items'])

    async def do_ping(self, jid):
        await self['xep_0199'].send_ping(jid)

    async def do_version(self, jid):
        answer = await self['xep_0092'].get_version(jid)
        return answer['software_version']['name']

    async def do_time(self, jid):
        answer = await self['xep_0202'].get_entity_time(jid)
        return answer.xml.find('.//{urn:xmpp:time}utc').text  # slixmpp puts a second Z behind it

    async def do_last(self, jid):
        answer = await self['xep_0012'].get_last_activity(jid)
        return answer['last_activity']['seconds']

    async def do_set_vcard(self, name):
        vcard = self['xep_0054'].make_vcard()
        vcard['FN'] = name
        await self['xep_0054'].publish_vcard(jid=self.boundjid.bare, vcard=vcard)

    async def do_vcard(self, jid):
        answer = await self['xep_0054'].get_vcard(jid=slixmpp.JID(jid), cached=False)
        return answer['vcard_temp']['FN']

    async def do_block(self, jid):
        await self['xep_0191'].block(jid)

    async def do_unblock(self, jid):
        await self['xep_0191'].unblock(jid)

    async def do_blocked(self):
        answer = await self['xep_0191'].get_blocked()
        return sorted(str(jid) for jid in answer['blocklist']['items'])

    async def do_history(self, jid=None, page=2, reverse=False):
        bodies = []
        pages = self['xep_0313'].retrieve(
            with_jid=jid and slixmpp.JID(jid), rsm={'max': page}, iterator=True, reverse=reverse
        )
        async for answer in pages:
            found = [result['mam_result']['forwarded']['stanza']['body'] for result in answer['mam']['results']]
            bodies.append(found)
        return bodies

    async def do_fields(self):
        return sorted(field['var'] for field in await self['xep_0313'].get_fields())

    async def do_ends(self):
        answer = await self['xep_0313'].get_archive_metadata()
        data = answer['mam_metadata']
        return [data['start']['id'], data['end']['id']]

    async def do_ask_markers(self, to, body, name):
        message = self.make_message(mto=to, mbody=body, mtype='chat')
        message['id'] = name
        message.enable('markable')
        message.send()

    async def do_displayed(self, to, name):
        self['xep_0333'].send_marker(slixmpp.JID(to), name, 'displayed')

    async def do_inbox(self):
        # slixmpp has no words for XEP-0430 itself
        entries = []

        def found(message):
            if message['type'] != 'headline':
                entry = message.xml.find(INBOX + 'entry')
                entries.append([entry.get('jid'), int(entry.get('unread')), message['mam_result']['forwarded']['stanza']['body']])

        self.register_handler(Callback('inbox', MatchXPath('{jabber:client}message/' + INBOX + 'entry'), found))
        try:
            request = self.make_iq_get()
            request.append(ET.Element(INBOX + 'inbox'))
            answer = await request.send()
        finally:
            self.remove_handler('inbox')
        return [entries, dict(answer.xml.find(INBOX + 'fin').attrib)]

    async def do_state(self, active):
        if active:
            self['xep_0352'].send_active()
        else:
            self['xep_0352'].send_inactive()

    async def do_passwd(self, password):
        await self['xep_0077'].change_password(password, jid=self.boundjid.host)
        self.password = password

    async def do_unregister(self):
        self.leaving = True
        await self['xep_0077'].cancel_registration(jid=self.boundjid.host)

    async def do_commands(self, jid):
        answer = await self['xep_0050'].get_commands(jid)
        return sorted(node for _, node, _ in answer['disco_items']['items'])

    async def do_command(self, jid, node, fields):
        """Runs a command to its end: every form that comes is answered with those of the fields that it asks for."""
        done = self.loop.create_future()

        def step(iq, session):
            command = iq['command']
            form = command['form']
            values = {var: field['value'] for var, field in form.get_fields().items()}
            if command['status'] == 'completed':
                notes = [text for _, text in command['notes']]
                return done.set_result({'values': values, 'notes': notes})
            reply = self['xep_0004'].make_form(ftype='submit')
            for var, field in form.get_fields().items():
                if field['type'] == 'hidden' or var == 'FORM_TYPE':
                    reply.add_field(var=var, ftype='hidden', value=field['value'])
                elif var in fields:
                    reply.add_field(var=var, value=fields[var])
            session['payload'] = reply
            session['next'] = step
            if 'complete' in command['actions']:
                self['xep_0050'].complete_command(session)
            else:
                self['xep_0050'].continue_command(session)

        def failed(iq, _):
            done.set_exception(Exception(iq['error']['condition']))

        self['xep_0050'].start_command(jid, node, {'next': step, 'error': failed})
        return await asyncio.wait_for(done, 10)


async def handle(request, clients):
    number, name, what = request.pop('id'), request.pop('client'), request.pop('do')
    try:
        if what == 'start':
            clients[name] = Client(name, **request)
            request = {}
        result = await getattr(clients[name], 'do_' + what)(**request)
        if what == 'leave':
            del clients[name]
        say(id=number, result=result)
    except IqError as error:
        say(id=number, error=error.iq['error']['condition'])
    except IqTimeout:
        say(id=number, error='no answer')
    except Exception as error:  # whatever it was, the test wants to know
        say(id=number, error=str(error) or type(error).__name__)


async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    say(event='ready')
    clients = {}
    tasks = set()
    while line := await reader.readline():
        task = asyncio.ensure_future(handle(json.loads(line), clients))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.get_event_loop().run_until_complete(main())
