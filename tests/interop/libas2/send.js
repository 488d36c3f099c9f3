// A trading partner that runs npm libas2 sends one transmission and reads the receipt.
//
//   node send.js OPTIONS.json    {url, from, to, keys, content, sign, encrypt, async}
//
// The message goes out as the library writes it, folded HTTP headers included: neither its own toRequestOptions (which
// reads binary content as UTF-8) nor an HTTP client (which would unfold) is between. What came back is told as JSON.
const { AS2Composer, AS2Parser } = require('libas2')
const fs = require('fs')
const net = require('net')

const options = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))
const pem = name => fs.readFileSync(`${options.keys}/${name}`, 'utf8')

function exchange (head, body) {
  const url = new URL(options.url)
  return new Promise((resolve, reject) => {
    const parts = []
    const socket = net.connect(Number(url.port), url.hostname, () => {
      socket.write(`POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n${head}\r\n\r\n`, 'latin1')
      socket.write(body)
    })
    socket.setTimeout(20000, () => socket.destroy(new Error('no answer within 20 s')))
    socket.on('data', part => parts.push(part))
    socket.on('error', reject)
    socket.on('end', () => resolve(Buffer.concat(parts)))
  })
}

async function read (answer) {
  const cut = answer.indexOf('\r\n\r\n')
  const [line, ...lines] = answer.subarray(0, cut).toString('latin1').split('\r\n')
  const told = { status: Number(line.split(' ')[1]) }
  if (answer.length > cut + 4) {
    const mdn = await AS2Parser.parse(lines.join('\r\n') + '\r\n\r\n' + answer.subarray(cut + 4).toString('latin1'))
    const signed = (mdn.contentType || '').startsWith('multipart/signed')
    const report = await mdn.dispositionIn(signed ? { cert: pem('gateway.crt') } : undefined) // throws on a bad signature
    Object.assign(told, { signed, notification: report.notification, explanation: report.explanation })
  }
  return told
}

async function main () {
  const host = {
    name: options.from,
    id: options.from,
    url: options.url,
    certificate: pem('partner.crt'),
    privateKey: pem('partner.key'),
    sign: options.sign,
    mdn: { signing: options.sign || 'sha-256', async: options.async }
  }
  const partner = { name: options.to, id: options.to, url: options.url, file: 'EDIFACT', certificate: pem('gateway.crt'), encrypt: options.encrypt }
  const message = { filename: 'orders.edi', contentType: 'application/edifact', content: fs.readFileSync(options.content, 'latin1') }
  const composed = await new AS2Composer({ message, agreement: { host, partner } }).compile()
  const raw = await composed.build()
  const cut = raw.indexOf('\r\n\r\n')
  const head = raw.subarray(0, cut).toString('latin1')
  const told = await read(await exchange(head, raw.subarray(cut + 4)))
  console.log(JSON.stringify({ ...told, messageId: composed.messageId(), folded: /\r\n[ \t]/.test(head), head }))
}

main().catch(error => { console.error(error); process.exit(1) })
