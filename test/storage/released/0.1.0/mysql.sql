CREATE TABLE `accounts` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `host` varchar(80) NOT NULL,
  `local` varchar(110) NOT NULL,
  `status` varchar(16) NOT NULL,
  `created_at` bigint(20) NOT NULL,
  `last_login` bigint(20) DEFAULT NULL,
  `salt` varbinary(64) NOT NULL,
  `iterations` int(11) NOT NULL,
  `sha1_stored` varbinary(64) NOT NULL,
  `sha1_server` varbinary(64) NOT NULL,
  `sha256_stored` varbinary(64) NOT NULL,
  `sha256_server` varbinary(64) NOT NULL,
  `sha512_stored` varbinary(64) NOT NULL,
  `sha512_server` varbinary(64) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `accounts_host_local_unique` (`host`,`local`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `accounts` VALUES (1,'localhost','romeo','active',1795652694100,1795652694534,0xF868F11667301D220C74308A2A53F5ED,10000,0x31C59BF516C9D6AE0BC684AF64CCC9B8BDE73267,0x3EC72C6CF826BA40C6B229402EAEAC29E823A712,0x490F98B2B64C8EFED2869CB6EB410C22CF1651FE285C12A5BC9DEDC7D4143018,0x77207540F4D8FA1F4E8FDDC843B76B09629AB4E3F44B49DF08599E79069C3BD6,0x98FAA8DF25003ADBC154B0866BE0B09DC2A0CA73ECBF95B7B1346552CC0175FBC41ED7BC5FE0AFCD109004A8CF30DB41C785A0743D9FD200E42B4E346F1F441E,0xCC79FCCDC62FC408E88E47DA77F080F96A7759164C715A77EB94212656B98EEF777619E491D3FF28004E9D55FB154F03B04ADC8F5CF8057CA52DED5B82C994D3);
INSERT INTO `accounts` VALUES (2,'localhost','juliet','active',1795652694127,1795652694372,0xD101C20D8DAC5EB4EEB7EF79F5167676,10000,0x35AEF13230094FEE4B11F46BF8D135B737C7E3EE,0x0539831BA09E9C97B78BE19999BAB9C373EA4498,0x6DFF7CB384B13D1870E8ABDC922264E9D0305B8B01B219DFB3373C44947ADC58,0xBE8B38EE7120B25FF794AA961484215176E1D6D2D24B31E2815C6DA481967777,0xFEB37AF7AFB35170074810AFB63148D0D99ECC6D86C3097C79EC45D820113E54030AADF238A3642DDBD27581AA67E28737E6876D8EE1B3E6ECB2748409A5C8BF,0x39B1DBC8071E3EA77A2E0E8CB6C30B4049E674A099BAE5D50815FE1B1CA986FCA9854DFDFBCFEA33D07AC7BA0989CC7161119FB8FCCD018886174589A9A1028E);
INSERT INTO `accounts` VALUES (3,'localhost','prince','active',1795652694150,1795652694373,0x64EA135973065C4C2AB9528C0AD2FD50,10000,0xA1835FF33AE050D3CE2FD90C8C0E6DEFB10362DC,0xFC36743E2F4779E7BE5C7264A084BFF57C5A0CF2,0x4B5EAED5394272A34513619AA9E5F29A4D4C4C6F29E0476A0C1093318C92AC66,0xC808833798BD0C2FDDAD7AA98F52331177505B77675F58AF691B2575516ECB94,0xBE600679DF7956FAA20C30BA81F5AEA44BA84A611C54A9E24AA572240469FD0809689F6B9AC0CB6C17AC1FF5E421F5E1B3CB653D677A5D52A12ACD5DA479F6D2,0x9BAB56CC41E768D318D97043834425DAC651C095EA56CF04B8F586C6311CFC0939BE05CF9BF4E551C5B43BA4FAF60398324666D31301079791C89C809AB9302C);
INSERT INTO `accounts` VALUES (4,'localhost','benvolio','active',1795652694179,NULL,0xB6787A88FE3F3C8B372DA7B0634131E4,10000,0x9D4B1910F70F3F34B4AE9A373FB779997837E377,0x2E57DFD4EA95457077C1FC0B63F8D105DA75CE8E,0x63482DDF80031EEA92972B65656B27467C0E7AD3CF1CCDD96C55BF68B9DDACA1,0x60A96B8BA7198E4A9BD73CD39838ACD48FDCFA4BDF15B33969564BCCECDB1190,0x2E2CD336550D1069A2BEF1FB6D62588BF2ED187EA0DE3E6A0EC09A39F08DB56ED0DA718926AEDC4D0AA2A0F382778052C7498736B81D2A8800E2C23E94535B49,0xE2793993CFF03408FC30EF97ECF1690F3FB32E56AC6B05D6CCC238823C0CD7CB7CB326A081338193E270AE23A40D47D5170FC148634BD7FE413BADC5B77F8673);
INSERT INTO `accounts` VALUES (5,'localhost','ärger','disabled',1795652694206,NULL,0x4FB48F90787557934816579A92815AA0,10000,0x1FBF9675E003BD55058718AB1DFA7F52AC510A4A,0x0A21E0AE1EB87CF0BF2F0312E832287E00DA0EFB,0x9B5A723B6FC88E502469341A3D2857828B2D9CD2D03AD1FF940F892D3DAF034D,0x0AEE047CAF32CA1C4AFAD8659B91E637A5BBBC1D144B04606FAEE46DD96E42C7,0x43F832AE44D71268623743CC48569E001AE789CF89772247360E279A5358939085E1A5C755DFD7A9ACC14659C7EDC0C62C6620D9AD150441BBFD387DFD2295B7,0x17F0B70E98211320F6D44A0E4C7F574DA905DF888C1BFC7C8B649AFFB7C44C94FFBBACC77315B16613149D6A98D0FD551E4E6DE4B715563DF50C3784B8932E31);
CREATE TABLE `administrators` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `host` varchar(191) NOT NULL,
  `jid` text NOT NULL,
  PRIMARY KEY (`id`),
  KEY `administrators_host_index` (`host`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `administrators` VALUES (1,'localhost','escalus@localhost');
CREATE TABLE `announcements` (
  `host` varchar(191) NOT NULL,
  `kind` varchar(16) NOT NULL,
  `text` mediumtext NOT NULL,
  `number` bigint(20) NOT NULL,
  PRIMARY KEY (`host`,`kind`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `announcements` VALUES ('localhost','motd','Hört, hört!',1795652694333);
CREATE TABLE `announcements_seen` (
  `account` varchar(191) NOT NULL,
  `kind` varchar(16) NOT NULL,
  `number` bigint(20) NOT NULL,
  KEY `announcements_seen_account_index` (`account`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `announcements_seen` VALUES ('romeo@localhost','motd',1795652694333);
INSERT INTO `announcements_seen` VALUES ('juliet@localhost','motd',1795652694333);
INSERT INTO `announcements_seen` VALUES ('prince@localhost','motd',1795652694333);
CREATE TABLE `archive_addresses` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `jid` varchar(191) NOT NULL,
  `gone_before` bigint(20) NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`),
  UNIQUE KEY `archive_addresses_jid_unique` (`jid`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `archive_addresses` VALUES (1,'romeo@localhost',0);
INSERT INTO `archive_addresses` VALUES (2,'juliet@localhost',0);
INSERT INTO `archive_addresses` VALUES (3,'benvolio@localhost',0);
CREATE TABLE `archive_entries` (
  `owner` int(11) NOT NULL,
  `id` bigint(20) NOT NULL,
  `peer` int(11) NOT NULL,
  `flags` int(11) NOT NULL,
  `mark` int(11) NOT NULL,
  PRIMARY KEY (`owner`,`id`),
  KEY `archive_conversations` (`owner`,`peer`,`id`,`flags`,`mark`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `archive_entries` VALUES (1,1838748358984704,2,5,-1825673640);
INSERT INTO `archive_entries` VALUES (1,1838748358987776,2,5,-1808896021);
INSERT INTO `archive_entries` VALUES (1,1838748358988800,2,5,-1792118402);
INSERT INTO `archive_entries` VALUES (1,1838748358990848,2,6,-1775340783);
INSERT INTO `archive_entries` VALUES (1,1838748358990849,2,2,0);
INSERT INTO `archive_entries` VALUES (1,1838748358998016,3,5,0);
INSERT INTO `archive_entries` VALUES (1,1838748359005184,3,5,0);
INSERT INTO `archive_entries` VALUES (2,1838748358984704,1,6,-1825673640);
INSERT INTO `archive_entries` VALUES (2,1838748358987776,1,6,-1808896021);
INSERT INTO `archive_entries` VALUES (2,1838748358988800,1,6,-1792118402);
INSERT INTO `archive_entries` VALUES (2,1838748358990848,1,5,-1775340783);
INSERT INTO `archive_entries` VALUES (2,1838748358990849,1,1,0);
INSERT INTO `archive_entries` VALUES (3,1838748358998016,1,6,0);
INSERT INTO `archive_entries` VALUES (3,1838748359005184,1,6,0);
CREATE TABLE `archive_messages` (
  `id` bigint(20) NOT NULL,
  `tail` varchar(9) NOT NULL,
  `sender` int(11) NOT NULL,
  `recipient` int(11) NOT NULL,
  `flags` int(11) NOT NULL,
  `mark` int(11) NOT NULL,
  `stanza` mediumtext NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `archive_messages` VALUES (1838748358984704,'7quskbju4',1,2,7,-1825673640,'<message from=\'romeo@localhost/orchard\' to=\'juliet@localhost\' type=\'chat\' id=\'m0\'><body>ein Röslein</body></message>');
INSERT INTO `archive_messages` VALUES (1838748358987776,'7quskpftu',1,2,7,-1808896021,'<message from=\'romeo@localhost/orchard\' to=\'juliet@localhost\' type=\'chat\' id=\'m1\'><body>🌹</body></message>');
INSERT INTO `archive_messages` VALUES (1838748358988800,'7qusku0v4',1,2,7,-1792118402,'<message from=\'romeo@localhost/orchard\' to=\'juliet@localhost\' type=\'chat\' id=\'m2\'><body>rot</body></message>');
INSERT INTO `archive_messages` VALUES (1838748358990848,'7qusk0c71',2,1,7,-1775340783,'<message from=\'juliet@localhost/balcony\' to=\'romeo@localhost\' type=\'chat\' id=\'m3\'><body>Ay me!</body></message>');
INSERT INTO `archive_messages` VALUES (1838748358990849,'7qusku8mu',2,1,3,0,'<message from=\'juliet@localhost/balcony\' to=\'romeo@localhost\' type=\'chat\'><displayed xmlns=\'urn:xmpp:chat-markers:0\' id=\'m1\'/></message>');
INSERT INTO `archive_messages` VALUES (1838748358998016,'7qusk0v0e',1,3,7,0,'<message from=\'romeo@localhost/orchard\' to=\'benvolio@localhost\' type=\'chat\'><body>Good morrow</body></message>');
INSERT INTO `archive_messages` VALUES (1838748359005184,'7quskbufg',1,3,7,0,'<message from=\'romeo@localhost/orchard\' to=\'benvolio@localhost\' type=\'chat\'><body>cousin ü</body></message>');
INSERT INTO `archive_messages` VALUES (1838748359178240,'pcmov9vfn',1,2,7,-1741785545,'<message from=\'romeo@localhost/orchard\' to=\'juliet@localhost\' type=\'chat\' id=\'m5\'><body>Good night</body></message>');
CREATE TABLE `archive_preferences` (
  `account` varchar(191) NOT NULL,
  `behaviour` varchar(10) NOT NULL,
  `always` mediumtext NOT NULL,
  `never` mediumtext NOT NULL,
  PRIMARY KEY (`account`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `archive_preferences` VALUES ('juliet@localhost','always','','tybalt@localhost');
CREATE TABLE `archive_state` (
  `id` int(11) NOT NULL,
  `merged` bigint(20) NOT NULL,
  `merging` bigint(20) NOT NULL,
  `owner` int(11) NOT NULL,
  `part` bigint(20) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `archive_state` VALUES (1,1838748359005184,1838748359005184,0,1838748359005184);
CREATE TABLE `blocked_addresses` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `account` varchar(191) NOT NULL,
  `jid` text NOT NULL,
  PRIMARY KEY (`id`),
  KEY `blocked_addresses_account_index` (`account`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `blocked_addresses` VALUES (1,'juliet@localhost','paris@localhost');
CREATE TABLE `clients` (
  `id` varchar(32) NOT NULL,
  `host` varchar(80) NOT NULL,
  `local` varchar(110) NOT NULL,
  `software` varchar(100) NOT NULL,
  `device` varchar(100) NOT NULL,
  `first_seen` bigint(20) NOT NULL,
  `last_seen` bigint(20) NOT NULL,
  `password_at` bigint(20) DEFAULT NULL,
  `current_mechanism` varchar(32) DEFAULT NULL,
  `current_token` varbinary(255) DEFAULT NULL,
  `current_issued` bigint(20) DEFAULT NULL,
  `current_expiry` bigint(20) DEFAULT NULL,
  `current_count` bigint(20) DEFAULT NULL,
  `next_mechanism` varchar(32) DEFAULT NULL,
  `next_token` varbinary(255) DEFAULT NULL,
  `next_issued` bigint(20) DEFAULT NULL,
  `next_expiry` bigint(20) DEFAULT NULL,
  `next_count` bigint(20) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `clients_host_local_index` (`host`,`local`),
  KEY `clients_last_seen_index` (`last_seen`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `clients` VALUES ('3ed70ec9caea9fc1329d9415','localhost','romeo','Mantua','📱',1795652694361,1795652694361,1795652694361,NULL,NULL,NULL,NULL,NULL,'HT-SHA-256-NONE',0x539486436B1DBF721A6CE14546B6CF1CCD1DD9A3BDCF0E628AB91D2981E63014170FCB2142FF986B487AB4D86BF648896FA76370C77C879DB9C7C859420CE93D391DD9C4EB37DF,1795652694361,1798244694361,0);
CREATE TABLE `inbox_displayed` (
  `owner` int(11) NOT NULL,
  `peer` int(11) NOT NULL,
  `id` bigint(20) NOT NULL,
  PRIMARY KEY (`owner`,`peer`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `inbox_displayed` VALUES (2,1,1838748358987776);
CREATE TABLE `installation` (
  `name` varchar(64) NOT NULL,
  `value` blob NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `installation` VALUES ('unknown-account-salts',0xB04E5BF79F514CEBC20A3F65270BF5D60E16B480A2456E70EF196ACFD8B77DD1);
CREATE TABLE `last_activity` (
  `account` varchar(191) NOT NULL,
  `left_at` bigint(20) NOT NULL,
  `status` text NOT NULL,
  PRIMARY KEY (`account`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `last_activity` VALUES ('juliet@localhost',1795652694372,'');
INSERT INTO `last_activity` VALUES ('prince@localhost',1795652694373,'');
INSERT INTO `last_activity` VALUES ('romeo@localhost',1795652694534,'');
CREATE TABLE `offline_messages` (
  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `account` varchar(191) NOT NULL,
  `received_at` bigint(20) NOT NULL,
  `bytes` int(11) NOT NULL,
  `stanza` mediumtext NOT NULL,
  `stanza_id` varchar(32) NOT NULL DEFAULT '',
  PRIMARY KEY (`id`),
  UNIQUE KEY `offline_messages_account_stanza_id_unique` (`account`,`stanza_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `offline_messages` VALUES (1,'benvolio@localhost',1795652694338,277,'<message from=\'romeo@localhost/orchard\' to=\'benvolio@localhost\' type=\'chat\'><body>Good morrow</body><stanza-id xmlns=\'urn:xmpp:sid:0\' id=\'01k8ajrc9u007qusk0v0e\' by=\'benvolio@localhost\'/><delay xmlns=\'urn:xmpp:delay\' from=\'localhost\' stamp=\'2026-11-26T00:24:54.338Z\'/></message>','01k8ajrc9u007qusk0v0e');
INSERT INTO `offline_messages` VALUES (2,'benvolio@localhost',1795652694348,275,'<message from=\'romeo@localhost/orchard\' to=\'benvolio@localhost\' type=\'chat\'><body>cousin ü</body><stanza-id xmlns=\'urn:xmpp:sid:0\' id=\'01k8ajrca5007quskbufg\' by=\'benvolio@localhost\'/><delay xmlns=\'urn:xmpp:delay\' from=\'localhost\' stamp=\'2026-11-26T00:24:54.348Z\'/></message>','01k8ajrca5007quskbufg');
INSERT INTO `offline_messages` VALUES (3,'juliet@localhost',1795652694511,280,'<message from=\'romeo@localhost/orchard\' to=\'juliet@localhost\' type=\'chat\' id=\'m5\'><body>Good night</body><stanza-id xmlns=\'urn:xmpp:sid:0\' id=\'01k8ajrcfe00pcmov9vfn\' by=\'juliet@localhost\'/><delay xmlns=\'urn:xmpp:delay\' from=\'localhost\' stamp=\'2026-11-26T00:24:54.511Z\'/></message>','01k8ajrcfe00pcmov9vfn');
CREATE TABLE `posthouse_migrations` (
  `module` varchar(100) NOT NULL,
  `name` varchar(90) NOT NULL,
  `applied_at` bigint(20) NOT NULL,
  PRIMARY KEY (`module`,`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `posthouse_migrations` VALUES ('accounts','001-accounts',1795652693575);
INSERT INTO `posthouse_migrations` VALUES ('accounts','002-longer-salts',1795652693656);
INSERT INTO `posthouse_migrations` VALUES ('administration/administrators','001-administrators',1795652693823);
INSERT INTO `posthouse_migrations` VALUES ('administration/announcements','001-announcements',1795652693807);
INSERT INTO `posthouse_migrations` VALUES ('archive/messages','001-archive',1795652693866);
INSERT INTO `posthouse_migrations` VALUES ('archive/preferences','001-preferences',1795652693880);
INSERT INTO `posthouse_migrations` VALUES ('blocking/addresses','001-blocked-addresses',1795652693901);
INSERT INTO `posthouse_migrations` VALUES ('clients','001-clients',1795652693608);
INSERT INTO `posthouse_migrations` VALUES ('inbox/displayed','001-displayed',1795652693911);
INSERT INTO `posthouse_migrations` VALUES ('last-activity/departures','001-last-activity',1795652693921);
INSERT INTO `posthouse_migrations` VALUES ('offline/messages','001-messages',1795652693937);
INSERT INTO `posthouse_migrations` VALUES ('offline/messages','002-order-of-arrival',1795652693963);
INSERT INTO `posthouse_migrations` VALUES ('presence/requests','001-requests',1795652693782);
INSERT INTO `posthouse_migrations` VALUES ('private-storage/documents','001-documents',1795652693979);
INSERT INTO `posthouse_migrations` VALUES ('roster/items','001-roster',1795652693752);
INSERT INTO `posthouse_migrations` VALUES ('vcard/cards','001-cards',1795652694074);
CREATE TABLE `private_documents` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `account` varchar(191) NOT NULL,
  `name` varchar(191) NOT NULL,
  `xmlns` varchar(191) NOT NULL,
  `document` mediumtext NOT NULL,
  PRIMARY KEY (`id`),
  KEY `private_documents_account_index` (`account`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `private_documents` VALUES (1,'romeo@localhost','prefs','exodus:prefs','<prefs xmlns=\"exodus:prefs\"><nick>R 🌹</nick></prefs>');
CREATE TABLE `roster_items` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `account` varchar(191) NOT NULL,
  `contact_key` varchar(128) NOT NULL,
  `contact` text NOT NULL,
  `version` bigint(20) NOT NULL,
  `name` mediumtext DEFAULT NULL,
  `subscription` varchar(8) NOT NULL,
  `ask` int(11) NOT NULL,
  `approved` int(11) NOT NULL,
  `group_names` mediumtext NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `roster_items_account_contact_key_unique` (`account`,`contact_key`),
  KEY `roster_items_account_version_index` (`account`,`version`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `roster_items` VALUES (1,'romeo@localhost','nurse@elsewhere.example','nurse@elsewhere.example',1795652694271,'Frau Ä & Co 🌹','none',0,0,'[\"Freunde\",\"Andere\"]');
INSERT INTO `roster_items` VALUES (2,'juliet@localhost','friar@localhost','friar@localhost',1795652694275,NULL,'none',0,0,'[]');
INSERT INTO `roster_items` VALUES (4,'juliet@localhost','romeo@localhost','romeo@localhost',1795652694287,NULL,'from',0,0,'[]');
INSERT INTO `roster_items` VALUES (5,'romeo@localhost','juliet@localhost','juliet@localhost',1795652694291,NULL,'to',0,0,'[]');
INSERT INTO `roster_items` VALUES (6,'romeo@localhost','benvolio@localhost','benvolio@localhost',1795652694294,NULL,'none',1,0,'[]');
CREATE TABLE `roster_versions` (
  `account` varchar(191) NOT NULL,
  `version` bigint(20) NOT NULL,
  `floor` bigint(20) NOT NULL,
  PRIMARY KEY (`account`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `roster_versions` VALUES ('juliet@localhost',1795652694287,1795652694275);
INSERT INTO `roster_versions` VALUES ('romeo@localhost',1795652694294,1795652694271);
CREATE TABLE `subscription_requests` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `account` varchar(191) NOT NULL,
  `contact` text NOT NULL,
  `stanza` mediumtext NOT NULL,
  `asked_at` bigint(20) NOT NULL,
  `ignored` int(11) NOT NULL,
  PRIMARY KEY (`id`),
  KEY `subscription_requests_account_index` (`account`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `subscription_requests` VALUES (2,'benvolio@localhost','romeo@localhost','<presence from=\'romeo@localhost\' to=\'benvolio@localhost\' type=\'subscribe\'><status>Cousin!</status></presence>',1795652694299,0);
CREATE TABLE `vcards` (
  `account` varchar(191) NOT NULL,
  `card` mediumtext NOT NULL,
  `changed_at` bigint(20) NOT NULL,
  PRIMARY KEY (`account`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
INSERT INTO `vcards` VALUES ('romeo@localhost','<vCard><FN>Roméo Montague</FN></vCard>',1795652694301);
