import { expect, it } from "vitest";
import { configText } from "./config-text.ts";

const OWN = { intervalMs: 15_000, ruleFiles: ["/etc/rules.yaml"], remoteWrites: [] };

it("tells what is scraped by itself where there is no file", () => {
  const text = "global:\n  scrape_interval: 15s\nrule_files:\n  - /etc/rules.yaml\n";
  expect(configText({ ...OWN, scrapeText: null })).toBe(text);
});

it("tells the file that is in force without its secrets", () => {
  const scrapeText = `
scrape_configs:
  - job_name: node
    basic_auth: { username: ann, password: hunter2 }
    tls_config: { key: PEM, key_file: /etc/key }
  - job_name: shop
    authorization: { credentials: 12345 }
`;
  const text = configText({ ...OWN, scrapeText });
  expect(text).not.toMatch(/hunter2|PEM|12345/);
  expect(text).toContain("username: ann");
  expect(text).toContain("key_file: /etc/key");
  expect(text.match(/<secret>/g)).toHaveLength(3);
});

it("tells where samples are sent on to, without what may be secret", () => {
  const url = "https://there.example/api/v1/write?key=hunter2";
  const remoteWrites = [{ name: "there", url, remoteTimeout: 30_000 }];
  expect(configText({ ...OWN, scrapeText: null, remoteWrites })).toContain(
    "remote_write:\n  - name: there\n    url: https://there.example/api/v1/write\n    remote_timeout: 30s\n",
  );
});
