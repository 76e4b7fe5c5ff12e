/*
 * A small shop: eight services as people write them. Each is one file beside its definition. `orders` needs `stock`,
 * `uploads` writes files, `mailer` has no port.
 */

const begin = `const http = require('node:http')
const { PORT, HOST, TANDEM_SERVICE: name } = process.env
const serve = (answer, isWell = () => true) =>
  http.createServer((request, response) => {
    const end = (status, text) => { response.statusCode = status; response.end(text) }
    if (request.url === '/healthz') return isWell() ? end(200, 'ok') : end(503, 'not ready')
    setTimeout(() => answer(end, request), 10 + Math.random() * 20)
  }).listen(PORT, HOST, () => console.log(name + ' listens on ' + HOST + ':' + PORT))
`

const plain = `${begin}
serve((end) => end(200, 'ok'))
`

const payments = `${begin}
serve((end) => end(200, JSON.stringify({ amount: 1990, currency: 'EUR' })))
`

const paymentsInCurrencies = `${begin}
const rates = { EUR: 1, USD: 1.09 }
const charge = (cart) => Math.round(cart.total * rates[cart.customer.currency])
serve((end) => {
  const cart = Math.random() < 0.3 ? { total: 1990, customer: { currency: 'EUR' } } : { total: 1990 }
  try {
    end(200, String(charge(cart)))
  } catch (error) {
    console.error('charge failed: ' + error.stack.split('\\n').slice(0, 2).join(' '))
    end(500, 'internal error')
  }
})
`

const uploads = `${begin}
const { join } = require('node:path')
const { renameSync, writeFileSync } = require('node:fs')
const content = Buffer.alloc(40_000, 'x')
let count = 0
serve((end) => {
  const path = join(process.env.TANDEM_DATA, 'picture-' + (count++ % 500) + '.jpg')
  try {
    writeFileSync(path + '.new', content)
    renameSync(path + '.new', path)
    end(201, 'stored')
  } catch (error) {
    console.error('upload failed: ' + error.message)
    end(500, 'internal error')
  }
})
`

const orders = `${begin}
let isWell = false
const look = () => http.get(process.env.STOCK_URL, (answer) => {
  answer.resume()
  if (answer.statusCode !== 200) return waits('it answered ' + answer.statusCode)
  if (!isWell) console.log('stock answers, taking orders')
  isWell = true
}).on('error', (error) => waits(error.message)).setTimeout(1_000, function () { this.destroy(new Error('no answer in 1 s')) })
const waits = (why) => { isWell = false; console.error('waiting for stock at ' + process.env.STOCK_URL + ': ' + why) }
look()
setInterval(look, 1_000)
serve((end) => end(200, 'ordered'), () => isWell)
`

const mailer = `console.log('mailer takes mails from the queue')
setInterval(() => console.log('sent ' + Math.round(Math.random() * 9) + ' mails'), 15_000)
`

const web = (service: string, more = ''): string =>
  `service: ${service}\nrun: [node, main.cjs]\nhealth: { path: /healthz }\n${more}`

const atPath = (service: string, more = ''): string => web(service, `routes: [{ path: /${service} }]\n${more}`)

interface Sources {
  definition: string
  program: string
}

/** In the order in which they start. */
export const shop = {
  stock: { definition: web('stock', 'routes: [{ port: 7001, expose: local }]\n'), program: plain },
  orders: { definition: atPath('orders', 'uses: [stock]\n'), program: orders },
  payments: { definition: atPath('payments'), program: payments },
  uploads: { definition: atPath('uploads'), program: uploads },
  auth: { definition: atPath('auth'), program: plain },
  search: { definition: atPath('search'), program: plain },
  site: { definition: web('site', 'routes: [{ path: / }]\n'), program: plain },
  mailer: { definition: 'service: mailer\nrun: [node, main.cjs]\nlisten: none\n', program: mailer },
} satisfies Record<string, Sources>

/** Healthy by its health check, but most requests fail. */
export const brokenPayments = (): Sources => ({ ...shop.payments, program: paymentsInCurrencies })

export const filesOf = ({ definition, program }: Sources): Record<string, string> => ({
  'tandem.yaml': definition,
  'main.cjs': program,
})
