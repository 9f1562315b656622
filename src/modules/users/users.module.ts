import { Module } from '@nestjs/common';
import { DocumentStore } from '../../platform/documents/index.js';
import { nextTurn } from '../../platform/process/index.js';
import { DocumentUsersController } from './adapters/http/document-users.controller.js';
import { SqlUsersController } from './adapters/http/sql-users.controller.js';
import { Users2pcController } from './adapters/http/users-2pc.controller.js';
import { DocumentUserService } from './document-user.service.js';
import { SqlUserService } from './sql-user.service.js';
import { User2pcService } from './user-2pc.service.js';
import { USERS } from './user-collection.js';
import { UserIds } from './user-ids.js';
import { UserRepository } from './user.repository.js';

@Module({
  controllers: [SqlUsersController, DocumentUsersController, Users2pcController],
  providers: [
    UserRepository,
    SqlUserService,
    DocumentUserService,
    User2pcService,
    {
      provide: UserIds,
      inject: [UserRepository, DocumentStore],
      useFactory: (users: UserRepository, documents: DocumentStore) =>
        new UserIds(
          {
            lastAllotted: () => users.lastAllottedId(),
            isTaken: (id) => users.find(id) !== undefined || documents.find(USERS.name, String(id)) !== undefined,
          },
          nextTurn,
        ),
    },
  ],
})
export class UsersModule {}
