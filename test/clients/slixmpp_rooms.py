"""Rooms (XEP-0045) as slixmpp knows them."""

import asyncio

import slixmpp
from slixmpp.exceptions import PresenceError
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import StanzaPath

USER = '{http://jabber.org/protocol/muc#user}'


class Rooms:
    """What a client can do in rooms; `tell` is the client's."""

    def listen_in_rooms(self):
        self.add_event_handler('groupchat_presence', self.on_occupant)
        self.add_event_handler('groupchat_message', self.on_said)
        self.add_event_handler('groupchat_subject', self.on_subject)
        self.add_event_handler('groupchat_invite', lambda msg: self.on_invitation('invited', msg, 'invite'))
        # slixmpp 1.8 has an event for it that it fails to raise
        self.register_handler(
            Callback('declined', StanzaPath('message/muc/decline'), lambda msg: self.on_invitation('declined', msg, 'decline'))
        )
        self.add_event_handler('message', self.on_whisper)

    def on_occupant(self, presence):
        muc = presence['muc']
        item = muc.xml.find(USER + 'item')
        attributes = {} if item is None else item.attrib
        reason = None if item is None else item.find(USER + 'reason')
        destroyed = muc.xml.find(USER + 'destroy')
        gone = presence['type'] == 'unavailable'
        about = {
            'room': presence['from'].bare,
            'nick': presence['from'].resource,
            'gone': gone,
            'affiliation': attributes.get('affiliation', ''),
            'role': attributes.get('role', ''),
            'codes': sorted(muc['status_codes']),
        }
        if gone and 'nick' in attributes:
            about['newNick'] = attributes['nick']
        if destroyed is not None:
            about['destroyed'] = destroyed.attrib.get('jid', '')
            reason = destroyed.find(USER + 'reason')
        if reason is not None:
            about['reason'] = reason.text
        self.tell('seen', **about)

    def say_of(self, msg, alone):
        delayed = bool(msg.xml.findall('{urn:xmpp:delay}delay'))
        sender = msg['from']
        self.tell('said', room=sender.bare, nick=sender.resource, body=msg['body'], delayed=delayed, alone=alone)

    def on_said(self, msg):
        self.say_of(msg, False)

    def on_whisper(self, msg):
        if msg['type'] == 'chat' and msg['from'].bare in self['xep_0045'].rooms:
            self.say_of(msg, True)

    def on_subject(self, msg):
        self.tell('subject', room=msg['from'].bare, subject=msg['subject'])

    def on_invitation(self, event, msg, name):
        found = msg['muc'][name]
        self.tell(event, room=msg['from'].bare, **{'from': found['from'].bare, 'reason': found['reason']})

    async def do_enter(self, room, nick, password=None, history=None):
        try:
            await self['xep_0045'].join_muc_wait(room, nick, password=password, maxstanzas=history, timeout=10)
        except PresenceError as error:
            raise Exception(error.presence['error']['condition'])

    async def do_say_in(self, room, body):
        self.send_message(mto=room, mbody=body, mtype='groupchat')

    async def do_change_nick(self, room, nick):
        self.send_presence(pto='{}/{}'.format(room, nick))

    async def do_set_subject(self, room, subject):
        self['xep_0045'].set_subject(room, subject)

    async def do_configuration(self, room):
        form = await self['xep_0045'].get_room_config(room)
        values = {}
        for var, field in form.get_fields().items():
            value = field['value']
            if isinstance(value, bool):
                value = '1' if value else '0'
            elif isinstance(value, list):
                value = value[0] if value else ''
            values[var] = value
        return values

    async def do_configure(self, room, fields):
        form = self['xep_0004'].make_form(ftype='submit')
        if fields:
            form.add_field(var='FORM_TYPE', ftype='hidden', value='http://jabber.org/protocol/muc#roomconfig')
        for var, value in fields.items():
            form.add_field(var=var, value=value)
        await self['xep_0045'].set_room_config(room, form)

    async def do_kick(self, room, nick, reason):
        await self['xep_0045'].set_role(room, nick, 'none', reason=reason)

    async def do_affiliate(self, room, jid, affiliation):
        await self['xep_0045'].set_affiliation(room, affiliation, jid=slixmpp.JID(jid))

    async def do_affiliated(self, room, affiliation):
        return sorted(str(jid) for jid in await self['xep_0045'].get_affiliation_list(room, affiliation))

    async def do_invite(self, room, jid, reason):
        self['xep_0045'].invite(room, jid, reason)

    async def do_decline(self, room, jid, reason):
        self['xep_0045'].decline(room, jid, reason)

    async def do_leave_room(self, room, nick):
        # or slixmpp takes what comes back of it for the answer to entering again
        gone = self.loop.create_future()

        def left(presence):
            if presence['from'].full == '{}/{}'.format(room, nick) and not gone.done():
                gone.set_result(None)

        self.register_handler(Callback('left', StanzaPath('presence@type=unavailable'), left))
        try:
            self['xep_0045'].leave_muc(room, nick)
            await asyncio.wait_for(gone, 5)
        finally:
            self.remove_handler('left')

    async def do_destroy(self, room, reason, instead):
        await self['xep_0045'].destroy(room, reason, slixmpp.JID(instead))
