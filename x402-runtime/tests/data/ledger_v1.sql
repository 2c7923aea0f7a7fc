BEGIN TRANSACTION;
CREATE TABLE answer (id INTEGER PRIMARY KEY, status INTEGER NOT NULL, headers BLOB NOT NULL, body BLOB NOT NULL);
INSERT INTO "answer" VALUES(1,200,X'',X'736F6C64');
INSERT INTO "answer" VALUES(2,200,X'',X'736F6C64');
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('schema_version',1);
CREATE TABLE offer (
        endpoint TEXT NOT NULL,
        accepts TEXT NOT NULL,
        max_timeout_s INTEGER,
        superseded_ms INTEGER,
        until_ms INTEGER
    );
CREATE TABLE payment (
        id INTEGER PRIMARY KEY,
        nonce BLOB NOT NULL,
        payer BLOB NOT NULL,
        asset BLOB NOT NULL,
        network TEXT NOT NULL,
        state INTEGER NOT NULL,
        fingerprint BLOB NOT NULL,
        endpoint TEXT NOT NULL,
        amount TEXT NOT NULL,
        pay_to BLOB NOT NULL,
        valid_before INTEGER NOT NULL,
        owner INTEGER NOT NULL,
        lease_until_ms INTEGER NOT NULL,
        settlement TEXT,
        tx TEXT,
        attempts INTEGER NOT NULL,
        in_doubt INTEGER NOT NULL,
        refusal TEXT,
        created_ms INTEGER NOT NULL,
        updated_ms INTEGER NOT NULL,
        due_ms INTEGER,
        closed_ms INTEGER,
        UNIQUE (nonce, payer, asset, network)
    );
INSERT INTO "payment" VALUES(1,X'0000000000000000000000000000000000000000000000000000000000000001',X'BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB',X'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA','eip155:84532',4,X'0707070707070707070707070707070707070707070707070707070707070707','weather','10000',X'CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC',1700000300,1,1700000000000,'{"success":true,"transaction":"0x01","network":""}','0x01',0,0,NULL,1700000000000,1700000000000,1700000000000,NULL);
INSERT INTO "payment" VALUES(2,X'0000000000000000000000000000000000000000000000000000000000000002',X'BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB',X'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA','eip155:84532',3,X'0707070707070707070707070707070707070707070707070707070707070707','weather','10000',X'CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC',1700000300,1,1700000000000,NULL,NULL,0,0,NULL,1700000000000,1700000000000,1700000000000,NULL);
CREATE TABLE request (id INTEGER PRIMARY KEY, json TEXT NOT NULL);
INSERT INTO "request" VALUES(1,'{"x402Version":2,"paymentPayload":{"accepted":{"amount":"10000","asset":"0xaAaAaAaaAaAaAaaAaAAAAAAAAaaaAaAaAaaAaaAa","extra":{"name":"USDC","version":"2"},"maxTimeoutSeconds":300,"network":"eip155:84532","payTo":"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC","scheme":"exact"},"payload":{"authorization":{"from":"0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB","nonce":"0x0000000000000000000000000000000000000000000000000000000000000001","to":"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC","validAfter":"0","validBefore":"1700000300","value":"10000"},"signature":"0xababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababab"},"resource":{"mimeType":"application/json","url":"https://api.example.com/weather/paris"},"x402Version":2},"paymentRequirements":{"amount":"10000","asset":"0xaAaAaAaaAaAaAaaAaAAAAAAAAaaaAaAaAaaAaaAa","extra":{"name":"USDC","version":"2"},"maxTimeoutSeconds":300,"network":"eip155:84532","payTo":"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC","scheme":"exact"}}');
INSERT INTO "request" VALUES(2,'{"x402Version":2,"paymentPayload":{"accepted":{"amount":"10000","asset":"0xaAaAaAaaAaAaAaaAaAAAAAAAAaaaAaAaAaaAaaAa","extra":{"name":"USDC","version":"2"},"maxTimeoutSeconds":300,"network":"eip155:84532","payTo":"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC","scheme":"exact"},"payload":{"authorization":{"from":"0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB","nonce":"0x0000000000000000000000000000000000000000000000000000000000000002","to":"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC","validAfter":"0","validBefore":"1700000300","value":"10000"},"signature":"0xababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababab"},"resource":{"mimeType":"application/json","url":"https://api.example.com/weather/paris"},"x402Version":2},"paymentRequirements":{"amount":"10000","asset":"0xaAaAaAaaAaAaAaaAaAAAAAAAAaaaAaAaAaaAaaAa","extra":{"name":"USDC","version":"2"},"maxTimeoutSeconds":300,"network":"eip155:84532","payTo":"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC","scheme":"exact"}}');
CREATE INDEX payment_due ON payment (due_ms) WHERE due_ms IS NOT NULL;
CREATE INDEX payment_closed ON payment (closed_ms) WHERE closed_ms IS NOT NULL;
CREATE INDEX offer_endpoint ON offer (endpoint);
COMMIT;
PRAGMA application_id = 2016686130;
