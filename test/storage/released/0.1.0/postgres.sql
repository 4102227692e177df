CREATE TABLE public.accounts (
    id integer NOT NULL,
    host character varying(80) NOT NULL COLLATE pg_catalog."C",
    local character varying(110) NOT NULL COLLATE pg_catalog."C",
    status character varying(16) NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    last_login bigint,
    salt bytea NOT NULL,
    iterations integer NOT NULL,
    sha1_stored bytea NOT NULL,
    sha1_server bytea NOT NULL,
    sha256_stored bytea NOT NULL,
    sha256_server bytea NOT NULL,
    sha512_stored bytea NOT NULL,
    sha512_server bytea NOT NULL
);
CREATE SEQUENCE public.accounts_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.accounts_id_seq OWNED BY public.accounts.id;
CREATE TABLE public.administrators (
    id integer NOT NULL,
    host character varying(191) NOT NULL COLLATE pg_catalog."C",
    jid text NOT NULL COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.administrators_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.administrators_id_seq OWNED BY public.administrators.id;
CREATE TABLE public.announcements (
    host character varying(191) NOT NULL COLLATE pg_catalog."C",
    kind character varying(16) NOT NULL COLLATE pg_catalog."C",
    text text NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL
);
CREATE TABLE public.announcements_seen (
    account character varying(191) NOT NULL COLLATE pg_catalog."C",
    kind character varying(16) NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL
);
CREATE TABLE public.archive_addresses (
    id integer NOT NULL,
    jid character varying(191) NOT NULL COLLATE pg_catalog."C",
    gone_before bigint DEFAULT '0'::bigint NOT NULL
);
CREATE SEQUENCE public.archive_addresses_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.archive_addresses_id_seq OWNED BY public.archive_addresses.id;
CREATE TABLE public.archive_entries (
    owner integer NOT NULL,
    id bigint NOT NULL,
    peer integer NOT NULL,
    flags integer NOT NULL,
    mark integer NOT NULL
);
CREATE TABLE public.archive_messages (
    id bigint NOT NULL,
    tail character varying(9) NOT NULL COLLATE pg_catalog."C",
    sender integer NOT NULL,
    recipient integer NOT NULL,
    flags integer NOT NULL,
    mark integer NOT NULL,
    stanza text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.archive_preferences (
    account character varying(191) NOT NULL COLLATE pg_catalog."C",
    behaviour character varying(10) NOT NULL COLLATE pg_catalog."C",
    always text NOT NULL COLLATE pg_catalog."C",
    never text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.archive_state (
    id integer NOT NULL,
    merged bigint NOT NULL,
    merging bigint NOT NULL,
    owner integer NOT NULL,
    part bigint NOT NULL
);
CREATE TABLE public.blocked_addresses (
    id integer NOT NULL,
    account character varying(191) NOT NULL COLLATE pg_catalog."C",
    jid text NOT NULL COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.blocked_addresses_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.blocked_addresses_id_seq OWNED BY public.blocked_addresses.id;
CREATE TABLE public.clients (
    id character varying(32) NOT NULL COLLATE pg_catalog."C",
    host character varying(80) NOT NULL COLLATE pg_catalog."C",
    local character varying(110) NOT NULL COLLATE pg_catalog."C",
    software character varying(100) NOT NULL COLLATE pg_catalog."C",
    device character varying(100) NOT NULL COLLATE pg_catalog."C",
    first_seen bigint NOT NULL,
    last_seen bigint NOT NULL,
    password_at bigint,
    current_mechanism character varying(32) COLLATE pg_catalog."C",
    current_token bytea,
    current_issued bigint,
    current_expiry bigint,
    current_count bigint,
    next_mechanism character varying(32) COLLATE pg_catalog."C",
    next_token bytea,
    next_issued bigint,
    next_expiry bigint,
    next_count bigint
);
CREATE TABLE public.inbox_displayed (
    owner integer NOT NULL,
    peer integer NOT NULL,
    id bigint NOT NULL
);
CREATE TABLE public.installation (
    name character varying(64) NOT NULL COLLATE pg_catalog."C",
    value bytea NOT NULL
);
CREATE TABLE public.last_activity (
    account character varying(191) NOT NULL COLLATE pg_catalog."C",
    left_at bigint NOT NULL,
    status text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.offline_messages (
    id bigint NOT NULL,
    account character varying(191) NOT NULL COLLATE pg_catalog."C",
    received_at bigint NOT NULL,
    bytes integer NOT NULL,
    stanza text NOT NULL COLLATE pg_catalog."C",
    stanza_id character varying(32) DEFAULT ''::character varying NOT NULL COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.offline_messages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.offline_messages_id_seq OWNED BY public.offline_messages.id;
CREATE TABLE public.posthouse_migrations (
    module character varying(100) NOT NULL COLLATE pg_catalog."C",
    name character varying(90) NOT NULL COLLATE pg_catalog."C",
    applied_at bigint NOT NULL
);
CREATE TABLE public.private_documents (
    id integer NOT NULL,
    account character varying(191) NOT NULL COLLATE pg_catalog."C",
    name character varying(191) NOT NULL COLLATE pg_catalog."C",
    xmlns character varying(191) NOT NULL COLLATE pg_catalog."C",
    document text NOT NULL COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.private_documents_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.private_documents_id_seq OWNED BY public.private_documents.id;
CREATE TABLE public.roster_items (
    id integer NOT NULL,
    account character varying(191) NOT NULL COLLATE pg_catalog."C",
    contact_key character varying(128) NOT NULL COLLATE pg_catalog."C",
    contact text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    name text COLLATE pg_catalog."C",
    subscription character varying(8) NOT NULL COLLATE pg_catalog."C",
    ask integer NOT NULL,
    approved integer NOT NULL,
    group_names text NOT NULL COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.roster_items_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.roster_items_id_seq OWNED BY public.roster_items.id;
CREATE TABLE public.roster_versions (
    account character varying(191) NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    floor bigint NOT NULL
);
CREATE TABLE public.subscription_requests (
    id integer NOT NULL,
    account character varying(191) NOT NULL COLLATE pg_catalog."C",
    contact text NOT NULL COLLATE pg_catalog."C",
    stanza text NOT NULL COLLATE pg_catalog."C",
    asked_at bigint NOT NULL,
    ignored integer NOT NULL
);
CREATE SEQUENCE public.subscription_requests_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.subscription_requests_id_seq OWNED BY public.subscription_requests.id;
CREATE TABLE public.vcards (
    account character varying(191) NOT NULL COLLATE pg_catalog."C",
    card text NOT NULL COLLATE pg_catalog."C",
    changed_at bigint NOT NULL
);
ALTER TABLE ONLY public.accounts ALTER COLUMN id SET DEFAULT nextval('public.accounts_id_seq'::regclass);
ALTER TABLE ONLY public.administrators ALTER COLUMN id SET DEFAULT nextval('public.administrators_id_seq'::regclass);
ALTER TABLE ONLY public.archive_addresses ALTER COLUMN id SET DEFAULT nextval('public.archive_addresses_id_seq'::regclass);
ALTER TABLE ONLY public.blocked_addresses ALTER COLUMN id SET DEFAULT nextval('public.blocked_addresses_id_seq'::regclass);
ALTER TABLE ONLY public.offline_messages ALTER COLUMN id SET DEFAULT nextval('public.offline_messages_id_seq'::regclass);
ALTER TABLE ONLY public.private_documents ALTER COLUMN id SET DEFAULT nextval('public.private_documents_id_seq'::regclass);
ALTER TABLE ONLY public.roster_items ALTER COLUMN id SET DEFAULT nextval('public.roster_items_id_seq'::regclass);
ALTER TABLE ONLY public.subscription_requests ALTER COLUMN id SET DEFAULT nextval('public.subscription_requests_id_seq'::regclass);
INSERT INTO public.accounts VALUES (4, 'localhost', 'benvolio', 'active', 1795652697751, NULL, '\x215701dcd85b179e85fe94fab2dacda5', 10000, '\x4fbc5052fca19d3f66624cd574213e9dcce2ee35', '\xf14ebec871d1bf47004c14b1785b609a1ae0197f', '\xe79edd6a6b6fc386a884ab196872e3ccc754ee5c9040111f14435314c962a1b4', '\x0377ebe17f4d062b2e632e370667861cd95be40d754bc863e5992331c8f84ec2', '\xc203dde59f31c65bf0a68487bdfceac25fe348aa4b38a96aaf728b332257c30e9ff38e01099bb0595429c666fd8799cd19e23f86b1c03def89330c5875bd9106', '\xc195666f9d075498434f045c0dce90099eaf8d5c68237372d062d0952ca0390b78392ba5f2bd482e3e504c17a93e2a08ac44f687ffd65ba928dbce28305480ec');
INSERT INTO public.accounts VALUES (5, 'localhost', 'ärger', 'disabled', 1795652697804, NULL, '\x89c5bb3e5548a10865197169f05ad3a4', 10000, '\x1346b035eee5f818a4e52931a2674c3d7405d6b5', '\xfde1236dabf586a125aeee230b3e2248e442b5bb', '\xaa8d5787b8760b8f3765d3c296e3ec912db8edd694ba9f10477a95cda053d2d5', '\xf6c4d2b8b4cb791a2d62ee8b32ef530e2998e05d6192b088548a0941d89f5cbc', '\xc9907b0e536e88f9b4255c90269a80c6298df83236909f65b65aa93d0910706524fff3b1269115d61be24e36b5210e76f85b39d5c627337ba2dbe8e4283d004d', '\xbe6179e998f2cfd0b28d6f8b5819e4706d8cffa39f4a515a5820010be49354a21ff1bf6863f816b2512acad8dc3d9b7dfaf90949ecb0ce3160413ceedeb98631');
INSERT INTO public.accounts VALUES (2, 'localhost', 'juliet', 'active', 1795652697651, 1795652698027, '\x58697689b16dcf549ee9d8f866865b6a', 10000, '\x626dfa84e9d446ac6a0bcfb2d16ae397160de988', '\x1e2d61a8f019e4ac27e75ff10ac5d3abaf7ad59a', '\x8543a81fe1429a176e40436feada6b558fe3260349e2984e4758634690461926', '\x3983fd0fbdfa1cb7070290612a39a8fac8360e2e1ac4253c26f8ec9d49eebb57', '\x271fa7dc42d18254326736451e88639579d4c6c7596043c73b1baafcdb2e398ccf2f2d7585b2036f5bf00ef1643dd37141cab7e87d8f8f2101e37606de16742a', '\x4b899f494b89614ce5f4d437645fc258813739234596b2581b7cee8834e1ce8bdbc4e11bc22322efe64004a5dc465053a6fc1209dcc5234ba77ecca4c299de71');
INSERT INTO public.accounts VALUES (3, 'localhost', 'prince', 'active', 1795652697699, 1795652698027, '\xc29b5d764f12198397e2acbd4d16e329', 10000, '\x026ee6d37bb9240b65f07e70d93b3791f50010ae', '\xb3f3a4f5e82a3e3980f047174f1ffff94a1e2dcf', '\x619a57c8f94f20776696e71a0369936489eb6fae183c384a95d298bd61bb48d4', '\x18c3d2c436b0f328d384b8a5001c92ddb0cfb7f53cf8673139d3977a8b106cd6', '\xbbd9929b7f8807d5da0ec9e0cd68d9aa1775500f2394ed43812ce00b340ba7783f4ac299346433a8d55d364ed1717381ab8f351a692edc3cee966efcebeb682f', '\x775b7ebd05959eaaaccf10b336035f7560aea55cf5c74a042be96c7674141f097c77dd47dbfda0551f6a3412061bfdd3a494fcbefc7da9fe3b9bb86ad54130ad');
INSERT INTO public.accounts VALUES (1, 'localhost', 'romeo', 'active', 1795652697597, 1795652698408, '\xe0213731e154f8f59a6567c5ff860b68', 10000, '\xc1577dce82ac8239921afee37fc72257184f2b34', '\xa4c26b1d41e0d4d2d4c9270e9fc0efc28d7f15d7', '\xfe00a727201bfcf3c4d8e54018497cf675ffe7df0a4cfe6755d809d1c9e15d33', '\xcb0ae75989419f089ea84b9bfb254191b88bfc5bcb7ee740774d3844f00160c9', '\x0b88541fb15548bf20f3fb32e197d5e3a83e524052385dd4b525e138a4e36c65fb5e7f3a8f9f3d596e4e3c650e7b3b65acb3658ba820591d68888b3c7d383100', '\xc965c883031e2b061219b9f7b31af658c9b135d95e2d861a460fb0e8121fc124885bed6223042699d4e8a241b7dfdce3a4d605e4342fbc5286e23ce00b96db27');
INSERT INTO public.administrators VALUES (1, 'localhost', 'escalus@localhost');
INSERT INTO public.announcements VALUES ('localhost', 'motd', 'Hört, hört!', 1795652697977);
INSERT INTO public.announcements_seen VALUES ('romeo@localhost', 'motd', 1795652697977);
INSERT INTO public.announcements_seen VALUES ('juliet@localhost', 'motd', 1795652697977);
INSERT INTO public.announcements_seen VALUES ('prince@localhost', 'motd', 1795652697977);
INSERT INTO public.archive_addresses VALUES (1, 'romeo@localhost', 0);
INSERT INTO public.archive_addresses VALUES (2, 'juliet@localhost', 0);
INSERT INTO public.archive_addresses VALUES (3, 'benvolio@localhost', 0);
INSERT INTO public.archive_entries VALUES (1, 1838748362713088, 2, 5, -1825673640);
INSERT INTO public.archive_entries VALUES (1, 1838748362715136, 2, 5, -1808896021);
INSERT INTO public.archive_entries VALUES (1, 1838748362717184, 2, 5, -1792118402);
INSERT INTO public.archive_entries VALUES (1, 1838748362718208, 2, 6, -1775340783);
INSERT INTO public.archive_entries VALUES (1, 1838748362718209, 2, 2, 0);
INSERT INTO public.archive_entries VALUES (1, 1838748362721280, 3, 5, 0);
INSERT INTO public.archive_entries VALUES (1, 1838748362732544, 3, 5, 0);
INSERT INTO public.archive_entries VALUES (2, 1838748362713088, 1, 6, -1825673640);
INSERT INTO public.archive_entries VALUES (2, 1838748362715136, 1, 6, -1808896021);
INSERT INTO public.archive_entries VALUES (2, 1838748362717184, 1, 6, -1792118402);
INSERT INTO public.archive_entries VALUES (2, 1838748362718208, 1, 5, -1775340783);
INSERT INTO public.archive_entries VALUES (2, 1838748362718209, 1, 1, 0);
INSERT INTO public.archive_entries VALUES (3, 1838748362721280, 1, 6, 0);
INSERT INTO public.archive_entries VALUES (3, 1838748362732544, 1, 6, 0);
INSERT INTO public.archive_messages VALUES (1838748362713088, 'inft359sf', 1, 2, 7, -1825673640, '<message from=''romeo@localhost/orchard'' to=''juliet@localhost'' type=''chat'' id=''m0''><body>ein Röslein</body></message>');
INSERT INTO public.archive_messages VALUES (1838748362715136, 'inft3rms1', 1, 2, 7, -1808896021, '<message from=''romeo@localhost/orchard'' to=''juliet@localhost'' type=''chat'' id=''m1''><body>🌹</body></message>');
INSERT INTO public.archive_messages VALUES (1838748362717184, 'inft3f2tc', 1, 2, 7, -1792118402, '<message from=''romeo@localhost/orchard'' to=''juliet@localhost'' type=''chat'' id=''m2''><body>rot</body></message>');
INSERT INTO public.archive_messages VALUES (1838748362718208, 'inft371il', 2, 1, 7, -1775340783, '<message from=''juliet@localhost/balcony'' to=''romeo@localhost'' type=''chat'' id=''m3''><body>Ay me!</body></message>');
INSERT INTO public.archive_messages VALUES (1838748362718209, 'inft395us', 2, 1, 3, 0, '<message from=''juliet@localhost/balcony'' to=''romeo@localhost'' type=''chat''><displayed xmlns=''urn:xmpp:chat-markers:0'' id=''m1''/></message>');
INSERT INTO public.archive_messages VALUES (1838748362721280, 'inft32m3l', 1, 3, 7, 0, '<message from=''romeo@localhost/orchard'' to=''benvolio@localhost'' type=''chat''><body>Good morrow</body></message>');
INSERT INTO public.archive_messages VALUES (1838748362732544, 'inft37br3', 1, 3, 7, 0, '<message from=''romeo@localhost/orchard'' to=''benvolio@localhost'' type=''chat''><body>cousin ü</body></message>');
INSERT INTO public.archive_messages VALUES (1838748363136000, '5sanb4did', 1, 2, 7, -1741785545, '<message from=''romeo@localhost/orchard'' to=''juliet@localhost'' type=''chat'' id=''m5''><body>Good night</body></message>');
INSERT INTO public.archive_preferences VALUES ('juliet@localhost', 'always', '', 'tybalt@localhost');
INSERT INTO public.archive_state VALUES (1, 1838748362732544, 1838748362732544, 0, 1838748362732544);
INSERT INTO public.blocked_addresses VALUES (1, 'juliet@localhost', 'paris@localhost');
INSERT INTO public.clients VALUES ('98d6a9acc428974e3044f76d', 'localhost', 'romeo', 'Mantua', '📱', 1795652698014, 1795652698014, 1795652698014, NULL, NULL, NULL, NULL, NULL, 'HT-SHA-256-NONE', '\xf0662cd7fa2d52c1266665c87c76c8a6ed5fc2f9fb1e47aec1c0ffd6c56719f35873a6748f1e8cf5e57ace3bc4a9a820f3905dc5451bbd7c2b2d4859c7a17d146fe2e3a364108b', 1795652698014, 1798244698014, 0);
INSERT INTO public.inbox_displayed VALUES (2, 1, 1838748362715136);
INSERT INTO public.installation VALUES ('unknown-account-salts', '\x5e6b2a27c034b3285a85288b1f34b2711c9540d41273a8a46a383e1f2a4bd713');
INSERT INTO public.last_activity VALUES ('juliet@localhost', 1795652698027, '');
INSERT INTO public.last_activity VALUES ('prince@localhost', 1795652698027, '');
INSERT INTO public.last_activity VALUES ('romeo@localhost', 1795652698408, '');
INSERT INTO public.offline_messages VALUES (1, 'benvolio@localhost', 1795652697971, 277, '<message from=''romeo@localhost/orchard'' to=''benvolio@localhost'' type=''chat''><body>Good morrow</body><stanza-id xmlns=''urn:xmpp:sid:0'' id=''01k8ajrfri00inft32m3l'' by=''benvolio@localhost''/><delay xmlns=''urn:xmpp:delay'' from=''localhost'' stamp=''2026-11-26T00:24:57.971Z''/></message>', '01k8ajrfri00inft32m3l');
INSERT INTO public.offline_messages VALUES (2, 'benvolio@localhost', 1795652697986, 275, '<message from=''romeo@localhost/orchard'' to=''benvolio@localhost'' type=''chat''><body>cousin ü</body><stanza-id xmlns=''urn:xmpp:sid:0'' id=''01k8ajrfrt00inft37br3'' by=''benvolio@localhost''/><delay xmlns=''urn:xmpp:delay'' from=''localhost'' stamp=''2026-11-26T00:24:57.986Z''/></message>', '01k8ajrfrt00inft37br3');
INSERT INTO public.offline_messages VALUES (3, 'juliet@localhost', 1795652698377, 280, '<message from=''romeo@localhost/orchard'' to=''juliet@localhost'' type=''chat'' id=''m5''><body>Good night</body><stanza-id xmlns=''urn:xmpp:sid:0'' id=''01k8ajrg87005sanb4did'' by=''juliet@localhost''/><delay xmlns=''urn:xmpp:delay'' from=''localhost'' stamp=''2026-11-26T00:24:58.377Z''/></message>', '01k8ajrg87005sanb4did');
INSERT INTO public.posthouse_migrations VALUES ('accounts', '001-accounts', 1795652697159);
INSERT INTO public.posthouse_migrations VALUES ('clients', '001-clients', 1795652697187);
INSERT INTO public.posthouse_migrations VALUES ('accounts', '002-longer-salts', 1795652697199);
INSERT INTO public.posthouse_migrations VALUES ('roster/items', '001-roster', 1795652697244);
INSERT INTO public.posthouse_migrations VALUES ('presence/requests', '001-requests', 1795652697269);
INSERT INTO public.posthouse_migrations VALUES ('administration/announcements', '001-announcements', 1795652697295);
INSERT INTO public.posthouse_migrations VALUES ('administration/administrators', '001-administrators', 1795652697322);
INSERT INTO public.posthouse_migrations VALUES ('archive/messages', '001-archive', 1795652697380);
INSERT INTO public.posthouse_migrations VALUES ('archive/preferences', '001-preferences', 1795652697411);
INSERT INTO public.posthouse_migrations VALUES ('blocking/addresses', '001-blocked-addresses', 1795652697434);
INSERT INTO public.posthouse_migrations VALUES ('inbox/displayed', '001-displayed', 1795652697460);
INSERT INTO public.posthouse_migrations VALUES ('last-activity/departures', '001-last-activity', 1795652697477);
INSERT INTO public.posthouse_migrations VALUES ('offline/messages', '001-messages', 1795652697501);
INSERT INTO public.posthouse_migrations VALUES ('offline/messages', '002-order-of-arrival', 1795652697524);
INSERT INTO public.posthouse_migrations VALUES ('private-storage/documents', '001-documents', 1795652697547);
INSERT INTO public.posthouse_migrations VALUES ('vcard/cards', '001-cards', 1795652697557);
INSERT INTO public.private_documents VALUES (1, 'romeo@localhost', 'prefs', 'exodus:prefs', '<prefs xmlns="exodus:prefs"><nick>R 🌹</nick></prefs>');
INSERT INTO public.roster_items VALUES (1, 'romeo@localhost', 'nurse@elsewhere.example', 'nurse@elsewhere.example', 1795652697884, 'Frau Ä & Co 🌹', 'none', 0, 0, '["Freunde","Andere"]');
INSERT INTO public.roster_items VALUES (2, 'juliet@localhost', 'friar@localhost', 'friar@localhost', 1795652697890, NULL, 'none', 0, 0, '[]');
INSERT INTO public.roster_items VALUES (4, 'juliet@localhost', 'romeo@localhost', 'romeo@localhost', 1795652697913, NULL, 'from', 0, 0, '[]');
INSERT INTO public.roster_items VALUES (5, 'romeo@localhost', 'juliet@localhost', 'juliet@localhost', 1795652697919, NULL, 'to', 0, 0, '[]');
INSERT INTO public.roster_items VALUES (6, 'romeo@localhost', 'benvolio@localhost', 'benvolio@localhost', 1795652697927, NULL, 'none', 1, 0, '[]');
INSERT INTO public.roster_versions VALUES ('juliet@localhost', 1795652697913, 1795652697890);
INSERT INTO public.roster_versions VALUES ('romeo@localhost', 1795652697927, 1795652697884);
INSERT INTO public.subscription_requests VALUES (2, 'benvolio@localhost', 'romeo@localhost', '<presence from=''romeo@localhost'' to=''benvolio@localhost'' type=''subscribe''><status>Cousin!</status></presence>', 1795652697933, 0);
INSERT INTO public.vcards VALUES ('romeo@localhost', '<vCard><FN>Roméo Montague</FN></vCard>', 1795652697937);
SELECT pg_catalog.setval('public.accounts_id_seq', 5, true);
SELECT pg_catalog.setval('public.administrators_id_seq', 1, true);
SELECT pg_catalog.setval('public.archive_addresses_id_seq', 3, true);
SELECT pg_catalog.setval('public.blocked_addresses_id_seq', 1, true);
SELECT pg_catalog.setval('public.offline_messages_id_seq', 3, true);
SELECT pg_catalog.setval('public.private_documents_id_seq', 1, true);
SELECT pg_catalog.setval('public.roster_items_id_seq', 6, true);
SELECT pg_catalog.setval('public.subscription_requests_id_seq', 2, true);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_host_local_unique UNIQUE (host, local);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.administrators
    ADD CONSTRAINT administrators_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.announcements
    ADD CONSTRAINT announcements_pkey PRIMARY KEY (host, kind);
ALTER TABLE ONLY public.archive_addresses
    ADD CONSTRAINT archive_addresses_jid_unique UNIQUE (jid);
ALTER TABLE ONLY public.archive_addresses
    ADD CONSTRAINT archive_addresses_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.archive_entries
    ADD CONSTRAINT archive_entries_pkey PRIMARY KEY (owner, id);
ALTER TABLE ONLY public.archive_messages
    ADD CONSTRAINT archive_messages_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.archive_preferences
    ADD CONSTRAINT archive_preferences_pkey PRIMARY KEY (account);
ALTER TABLE ONLY public.archive_state
    ADD CONSTRAINT archive_state_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.blocked_addresses
    ADD CONSTRAINT blocked_addresses_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.inbox_displayed
    ADD CONSTRAINT inbox_displayed_pkey PRIMARY KEY (owner, peer);
ALTER TABLE ONLY public.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.last_activity
    ADD CONSTRAINT last_activity_pkey PRIMARY KEY (account);
ALTER TABLE ONLY public.offline_messages
    ADD CONSTRAINT offline_messages_account_stanza_id_unique UNIQUE (account, stanza_id);
ALTER TABLE ONLY public.offline_messages
    ADD CONSTRAINT offline_messages_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.posthouse_migrations
    ADD CONSTRAINT posthouse_migrations_pkey PRIMARY KEY (module, name);
ALTER TABLE ONLY public.private_documents
    ADD CONSTRAINT private_documents_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.roster_items
    ADD CONSTRAINT roster_items_account_contact_key_unique UNIQUE (account, contact_key);
ALTER TABLE ONLY public.roster_items
    ADD CONSTRAINT roster_items_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.roster_versions
    ADD CONSTRAINT roster_versions_pkey PRIMARY KEY (account);
ALTER TABLE ONLY public.subscription_requests
    ADD CONSTRAINT subscription_requests_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.vcards
    ADD CONSTRAINT vcards_pkey PRIMARY KEY (account);
CREATE INDEX administrators_host_index ON public.administrators USING btree (host);
CREATE INDEX announcements_seen_account_index ON public.announcements_seen USING btree (account);
CREATE INDEX archive_conversations ON public.archive_entries USING btree (owner, peer, id, flags, mark);
CREATE INDEX blocked_addresses_account_index ON public.blocked_addresses USING btree (account);
CREATE INDEX clients_host_local_index ON public.clients USING btree (host, local);
CREATE INDEX clients_last_seen_index ON public.clients USING btree (last_seen);
CREATE INDEX private_documents_account_index ON public.private_documents USING btree (account);
CREATE INDEX roster_items_account_version_index ON public.roster_items USING btree (account, version);
CREATE INDEX subscription_requests_account_index ON public.subscription_requests USING btree (account);
