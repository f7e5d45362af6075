import { v7 as uuidv7 } from 'uuid';
import { setImmediate } from 'node:timers';
import { RedriveError } from '../../src/errors.ts';
import { noCapabilities, type Capabilities } from '../../src/provider/capabilities.ts';
import {
  PullProvider,
  type Announcement,
  type Held,
  type LostJob,
  type Reservation,
  type ReserveRequest,
  type Session,
  type SessionInfo,
  type SettleBatch,
  type SettleReceipt,
} from '../../src/provider/pull-provider.ts';
import type { Backlog, JobEnvelope, ProviderContext, PushOptions, RequeueOutcome, RequeueRequest } from '../../src/provider/queue-provider.ts';
import type { AttemptRecord } from '../../src/record/attempt-record.ts';
import { Memory } from './memory.ts';
import { MemoryFailureLog } from './memory-failure-log.ts';
import { adopt } from './steps/adopt.ts';
import { forgetCompleted } from './steps/maintain.ts';
import { push } from './steps/push.ts';
import { requeue } from './steps/requeue.ts';
import { rescue } from './steps/rescue.ts';
import { renew, reserve, start } from './steps/reserve.ts';
import { settle } from './steps/settle.ts';
