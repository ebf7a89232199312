import type { ChannelConfig } from "@mainstay/api";
import { createEmailSender } from "./email.ts";
import type { Sender, SenderTools } from "./sender.ts";
import { createWebhookSender } from "./webhook.ts";

/** Every kind of channel there is; its configuration stands in api/src/messages-file.ts. */
export function createSender(config: ChannelConfig, tools: SenderTools): Sender {
  switch (config.kind) {
    case "webhook":
      return createWebhookSender(config, tools);
    case "email":
      return createEmailSender(config, tools);
  }
}
