// A trading partner that runs npm libas2 waits for transmissions and answers each with its receipt.
//
//   node receive.js OPTIONS.json    {from, to, keys, decrypt, verify, sign}
//
// Says `{"port": …}` first, then one JSON line for each transmission. It ends when its standard input does.
const { AS2Parser } = require('libas2')
const fs = require('fs')
const http = require('http')

const options = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))
const pem = name => fs.readFileSync(`${options.keys}/${name}`, 'utf8')
const say = told => console.log(JSON.stringify(told))
const agreement = {
  host: {
    name: options.from,
    id: options.from,
    url: 'http://127.0.0.1/as2',
    certificate: pem('partner.crt'),
    privateKey: pem('partner.key'),
    sign: 'sha-256',
    decrypt: options.decrypt
  },
  partner: {
    name: options.to,
    id: options.to,
    url: 'http://127.0.0.1/as2',
    file: 'EDIFACT',
    certificate: pem('gateway.crt'),
    verify: options.verify,
    mdn: options.sign ? { signing: options.sign } : undefined
  }
}

async function answer (request, body) {
  let head = ''
  for (let i = 0; i < request.rawHeaders.length; i += 2) head += `${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}\r\n`
  const node = await AS2Parser.parse(head + '\r\n' + body.toString('latin1'))
  const made = await node.dispositionOut({ agreement })
  const content = made.contentNode && made.contentNode.content
  say({ notification: made.disposition.notification, content: content && Buffer.from(content).toString('base64') })
  return made.dispositionNode.build()
}

http.createServer(async (request, response) => {
  const parts = []
  for await (const part of request) parts.push(part)
  try {
    const raw = await answer(request, Buffer.concat(parts))
    const cut = raw.indexOf('\r\n\r\n')
    for (const line of raw.subarray(0, cut).toString('latin1').replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
      response.setHeader(line.split(':', 1)[0], line.slice(line.indexOf(':') + 1).trim())
    }
    response.end(raw.subarray(cut + 4))
  } catch (error) {
    say({ error: String(error) })
    response.writeHead(500).end()
  }
}).listen(0, '127.0.0.1', function () { say({ port: this.address().port }) })

process.stdin.on('end', () => process.exit(0)).resume()
