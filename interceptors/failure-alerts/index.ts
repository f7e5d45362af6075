export { FailureAlerts, type FailureAlertsOptions } from './failure-alerts.ts';
export { logAlerts } from './log-alerts.ts';
export { webhook, type WebhookOptions } from './webhook.ts';
