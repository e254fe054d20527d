import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { plainLoad } from './plain-load.ts';
import type { Scenario } from './scenario.ts';

const script = `
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/octet-stream"
wrk.body = string.rep("x", 16384)
`;

export const postBody: Scenario = {
  id: 'post-body',
  title: 'POST with 16 KiB',
  run: (bench) => {
    const file = join(bench.folder('script'), 'post.lua');
    writeFileSync(file, script);
    return plainLoad(bench, {
      how: 'POST with a body of 16 KiB that the backend drops, 32 keep-alive connections',
      path: '/',
      script: file,
      targets: [],
    });
  },
};
