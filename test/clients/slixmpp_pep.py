"""Nodes of accounts (XEP-0163) as slixmpp knows them."""

import base64

from slixmpp.plugins.xep_0048.stanza import Bookmarks
from slixmpp.xmlstream import ET

PLUGINS = ['xep_0048', 'xep_0060', 'xep_0084', 'xep_0115', 'xep_0118', 'xep_0163', 'xep_0172', 'xep_0223']


class Pep:
    """What a client does with nodes of its account and of others; `tell` is the client's."""

    def listen_to_nodes(self, more):
        for plugin in PLUGINS:
            self.register_plugin(plugin)
        self.add_event_handler('user_nick_publish', lambda msg: self.on_item(msg, 'nick', lambda item: item['nick']['nick']))
        self.add_event_handler('user_tune_publish', lambda msg: self.on_item(msg, 'tune', lambda item: item['tune']['title']))
        self.add_event_handler('avatar_metadata_publish', lambda msg: self.on_item(msg, 'avatar', lambda item: item['id']))
        self.add_event_handler('pubsub_publish', lambda msg: self.on_item(msg, 'item', lambda item: item['id']))
        for namespace in more:
            self.add_event_handler('session_bind', lambda _, name=namespace: self['xep_0163'].add_interest(name))

    def on_item(self, msg, what, read):
        items = msg['pubsub_event']['items']
        # not an iteration over `items` itself, in the midst of which slixmpp is as it calls this
        for item in list(items['substanzas']):
            self.tell('node', what=what, node=items['node'], value=read(item), **{'from': msg['from'].bare})

    async def do_publish_nick(self, nick):
        await self['xep_0172'].publish_nick(nick)

    async def do_publish_tune(self, title):
        await self['xep_0118'].publish_tune(title=title)

    async def do_publish_avatar(self, data):
        picture = base64.b64decode(data)
        avatars = self['xep_0084']
        name = avatars.generate_id(picture)
        await avatars.publish_avatar(picture)
        await avatars.publish_avatar_metadata({'id': name, 'type': 'image/png', 'bytes': len(picture)})
        return name

    async def do_avatar(self, jid, item):
        answer = await self['xep_0084'].retrieve_avatar(jid, item)
        return base64.b64encode(answer['pubsub']['items']['item']['avatar_data']['value']).decode()

    async def do_set_bookmarks(self, rooms):
        bookmarks = Bookmarks()
        for jid, name in rooms:
            bookmarks.add_conference(jid, 'slix', name=name, autojoin=True)
        await self['xep_0048'].set_bookmarks(bookmarks, method='xep_0223')

    async def do_bookmarks(self):
        answer = await self['xep_0048'].get_bookmarks(method='xep_0223')
        found = answer['pubsub']['items']['item']['bookmarks']['conferences']
        return sorted([str(one['jid']), one['name']] for one in found)

    async def do_publish(self, node, item, payload, access):
        options = self['xep_0004'].make_form(ftype='submit')
        options.add_field(var='FORM_TYPE', ftype='hidden', value='http://jabber.org/protocol/pubsub#publish-options')
        options.add_field(var='pubsub#access_model', value=access)
        await self['xep_0060'].publish(self.boundjid.bare, node, id=item, payload=ET.fromstring(payload), options=options)

    async def do_node(self, jid, node):
        """The items of a node: id and payload each."""
        answer = await self['xep_0060'].get_items(jid, node)
        items = answer['pubsub']['items']
        return [[item['id'], ET.tostring(item['payload']).decode()] for item in items]
