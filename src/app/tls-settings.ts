import { tls12Suites } from '../util/cipher-suites.ts';
import { setting } from './setting.ts';
import { duration, objectName, oneOf, text, tlsVersions, toggle, wholeNumber } from './setting-types.ts';

/** TLS with clients, and what HTTP says about it. Spelt as in ingress-nginx's ConfigMap. */
export const tlsSettings = {
  defaultCertificate: setting(
    'TLS',
    'default-ssl-certificate',
    objectName,
    { default: '' },
    'namespace/name of the Secret with the certificate for names that no host has; left out, a self-signed one',
  ),
  sslProtocols: setting(
    'TLS',
    'ssl-protocols',
    tlsVersions,
    { default: 'TLSv1.2 TLSv1.3' },
    'versions of TLS',
  ),
  sslCiphers: setting(
    'TLS',
    'ssl-ciphers',
    text,
    { default: tls12Suites.join(':') },
    "cipher suites in OpenSSL's notation; those of TLS 1.3 are its usual ones unless some are named",
  ),
  sslCurve: setting(
    'TLS',
    'ssl-ecdh-curve',
    text,
    { default: 'auto' },
    'groups for the key exchange, with colons between; auto means the usual ones, post-quantum first',
  ),
  handshakeTimeoutMs: setting(
    'TLS',
    'ssl-handshake-timeout',
    duration,
    { default: '10s' },
    'time from the accepted connection to the end of its handshake',
  ),
  sslSessionTimeoutMs: setting(
    'TLS',
    'ssl-session-timeout',
    duration,
    { default: '10m' },
    'how long a session ticket may be used',
  ),
  sslTicketRotationMs: setting(
    'TLS',
    'ssl-session-ticket-rotation',
    duration,
    { default: '12h' },
    'how often the secret of session tickets is replaced; the two before still open theirs',
  ),
  sslTicketSecret: setting(
    'TLS',
    'ssl-session-ticket-secret',
    objectName,
    { default: '' },
    "namespace/name of the Secret that session tickets are sealed by, so that replicas resume one another's sessions; its value with the last name seals, two before it still open",
  ),
  sslRedirect: setting(
    'TLS',
    'ssl-redirect',
    toggle,
    { default: 'true' },
    'redirect HTTP to HTTPS on hosts that an Ingress lists under tls, where no annotation says otherwise',
  ),
  forceSslRedirect: setting(
    'TLS',
    'force-ssl-redirect',
    toggle,
    { default: 'false' },
    'redirect HTTP to HTTPS on every host of an Ingress, where no annotation says otherwise',
  ),
  httpRedirectCode: setting(
    'TLS',
    'http-redirect-code',
    oneOf('301', '302', '307', '308'),
    { default: '308' },
    'status of the redirect to HTTPS',
  ),
  hsts: setting(
    'TLS',
    'hsts',
    toggle,
    { default: 'true' },
    'send Strict-Transport-Security with answers over HTTPS',
  ),
  hstsMaxAge: setting(
    'TLS',
    'hsts-max-age',
    wholeNumber(0, 10_000_000_000),
    { default: '31536000' },
    'seconds that clients keep to HTTPS',
  ),
  hstsSubdomains: setting(
    'TLS',
    'hsts-include-subdomains',
    toggle,
    { default: 'true' },
    'clients keep to HTTPS on subdomains too',
  ),
  hstsPreload: setting(
    'TLS',
    'hsts-preload',
    toggle,
    { default: 'false' },
    "ask for a place in browsers' lists of hosts with HTTPS only",
  ),
} as const;
