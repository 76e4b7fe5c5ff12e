import type { FastifyReply, FastifyRequest } from 'fastify'
import { basePath } from '../../api/operation.ts'
import type { PageFile, PageFiles } from './pageFiles.ts'
import { refuseForeignHost } from './pageHost.ts'

/**
 * The page loads nothing from anybody else, runs no inline code but its own first lines, sends no form, and stands in no
 * frame.
 */
const policyFor = ({ inlineScripts }: PageFile): string =>
  [
    "default-src 'none'",
    ...[
      ['script-src', "'self'", ...inlineScripts].join(' '),
      "style-src 'self'",
      "img-src 'self'",
      "connect-src 'self'",
    ],
    ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
    ...["require-trusted-types-for 'script'", "trusted-types 'none'"],
  ].join('; ')

const guards = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** Chosen by their name, which changes with their content; anything else is asked about at each load. */
const cacheFor = ({ isImmutable }: PageFile): string =>
  isImmutable ? 'private, max-age=31536000, immutable' : 'no-cache'

/**
 * Answers with a file of the page, or with the page itself where a browser goes to one of its addresses. False: the
 * request is for neither.
 */
export async function servePage(pages: PageFiles, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
  const path = request.url.split('?')[0] ?? ''
  if (request.method !== 'GET' || path.startsWith(`${basePath}/`)) return false
  const isVisit = !path.includes('.') && (request.headers.accept ?? '').includes('text/html')
  const file = await pages.get(isVisit ? '/index.html' : path)
  if (file === null) return false
  refuseForeignHost(request.headers)
  const { encoding, bytes } = await pages.encoded(file, request.headers['accept-encoding'] ?? '')
  void reply.headers({
    ...guards,
    'content-security-policy': policyFor(file),
    'cache-control': cacheFor(file),
    etag: file.etag,
    vary: 'accept-encoding',
  })
  if (request.headers['if-none-match'] === file.etag) {
    await reply.status(304).send()
    return true
  }
  if (encoding !== null) void reply.header('content-encoding', encoding)
  await reply.type(file.type).send(bytes)
  return true
}
