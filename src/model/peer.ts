/** Addresses of peers, written one way. */

/** The address of a socket's peer without port; IPv4 inside IPv6 as plain IPv4; `unknown` once it is gone. */
export function peerAddress(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined || remoteAddress === '') return 'unknown'
  return remoteAddress.startsWith('::ffff:') && remoteAddress.includes('.')
    ? remoteAddress.slice('::ffff:'.length)
    : remoteAddress
}
