import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A row of `users`. Ids rise and are never given twice. */
@Entity('users')
export class UserEntity {
  @PrimaryGeneratedColumn('increment', { type: 'integer' })
  id!: number;

  @Column('text')
  firstname!: string;

  @Column('text')
  lastname!: string;

  /** Checksum of the fields; null where somebody else has written the row. */
  @Column('integer', { nullable: true })
  seal!: number | null;
}
