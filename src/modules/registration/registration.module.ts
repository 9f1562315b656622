import { type DynamicModule, type FactoryProvider, Module } from '@nestjs/common';
import { PasswordHasher } from '../../platform/passwords/index.js';
import { monotonicMs, risingUuids, systemClock, systemRandom } from '../../platform/process/index.js';
import { TokenKeys } from '../../platform/tokens/index.js';
import type { OpenSqlFile } from '../store-registration/index.js';
import { RegisteredUsersController } from './adapters/http/registered-users.controller.js';
import { TokenController } from './adapters/http/token.controller.js';
import { UserCommandsController } from './adapters/http/user-commands.controller.js';
import { UserQueriesController } from './adapters/http/user-queries.controller.js';
import { LoginLimit } from './login-limit.js';
import { LoginService } from './login.service.js';
import { RegisteredUserRepository } from './registered-user.repository.js';
import { RegistrationCommands } from './registration.commands.js';
import { RegistrationQueries } from './registration.queries.js';

/** The provider of the shortest password, in characters, which the process sets. */
export const PASSWORD_MIN = 'PASSWORD_MIN';

@Module({})
export class RegistrationModule {
  static of(file: OpenSqlFile): DynamicModule {
    const users = new RegisteredUserRepository(file.database);
    const newId = risingUuids({ clock: systemClock, random: systemRandom });
    const commands: FactoryProvider<RegistrationCommands> = {
      provide: RegistrationCommands,
      inject: [PasswordHasher, PASSWORD_MIN],
      useFactory: (hasher: PasswordHasher, passwordMin: number) =>
        new RegistrationCommands({ hasher, clock: systemClock, newId }, file, users, passwordMin),
    };
    const logins: FactoryProvider<LoginService> = {
      provide: LoginService,
      inject: [PasswordHasher, TokenKeys],
      useFactory: (hasher: PasswordHasher, tokens: TokenKeys) =>
        new LoginService({ hasher, tokens }, users, new LoginLimit(monotonicMs)),
    };
    return {
      module: RegistrationModule,
      controllers: [UserCommandsController, UserQueriesController, RegisteredUsersController, TokenController],
      providers: [commands, logins, { provide: RegistrationQueries, useValue: new RegistrationQueries(users) }],
    };
  }
}
