import { endpoints } from '../../src/admin/endpoints.ts';
import { code, pageHead, table } from './markdown.ts';

const INTRO = `What the admin server answers on \`--admin-port\` (10254), to GET and HEAD. Nothing can be changed through it.

Paths for this machine only answer clients on a loopback address that ask for \`localhost\` or a loopback address, and nothing that
came through a proxy. Reach them in a pod by port-forwarding, which ends on the pod's loopback address, and let the command line read them:

\`\`\`sh
kubectl port-forward -n sallyport deploy/sallyport 10254 &
sallyport routes --admin localhost:10254
curl 'localhost:10254/debug/explain?url=http://shop.example/cart'
\`\`\``;

/** docs/reference/admin.md */
export function adminPage(): string {
  const rows = endpoints.map(({ path, loopbackOnly, doc }) => [
    code(path),
    loopbackOnly ? 'this machine only' : 'everybody',
    doc,
  ]);
  return `${pageHead('Admin server', INTRO)}\n${table(['Path', 'Answers', 'What'], rows)}`;
}
